"""GeoJSON made by PostgreSQL: a feature is an SQL expression."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, Text, case, cast, func

DECIMALS = 7
_AREA = 2


def feature_text(
    *,
    feature_id: SQLColumnExpression[Any],
    geom: SQLColumnExpression[Any],
    properties: Mapping[str, SQLColumnExpression[Any]],
) -> ColumnElement[str]:
    """Return the expression of a GeoJSON feature as text (RFC 7946).

    Parameters
    ----------
    feature_id
        Column that names the feature.
    geom
        Geometry, EPSG:4326; written lon-lat with 7 decimals, rings by the right-hand rule.
    properties
        Columns by property name, in order.
    """
    # It turns lines round as well, and those have a direction.
    turned = case((func.ST_Dimension(geom) == _AREA, func.ST_ForcePolygonCCW(geom)), else_=geom)
    members = (part for name, value in properties.items() for part in (cast(name, Text), value))
    return func.concat(
        cast('{"type":"Feature","id":', Text),
        func.to_json(feature_id),
        cast(',"geometry":', Text),
        func.ST_AsGeoJSON(turned, DECIMALS),
        cast(',"properties":', Text),
        func.json_build_object(*members),
        cast("}", Text),
    )
