"""Files to bring in, written from the town or beside it, and the way they take."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from geopandas import GeoDataFrame
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from gridsvc.db import Database, Interval, Scope
from gridsvc.errors import ImportBlockedError
from gridsvc.territory.importing import service
from gridsvc.territory.importing.applying import Application
from gridsvc.territory.importing.model import Decision, FileWish, Layer, TerritoryImport
from tests import town

DAY = date(2030, 1, 1)
"""After the town was loaded, whenever that is."""

Row = tuple[Mapping[str, Any], BaseGeometry | None]


def geojson(path: Path, rows: Iterable[Row]) -> Path:
    """Write features with their properties."""
    features = [
        {
            "type": "Feature",
            "properties": dict(properties),
            "geometry": None if shape is None else mapping(shape),
        }
        for properties, shape in rows
    ]
    document = {"type": "FeatureCollection", "features": features}
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return path


def rows_of(frame: GeoDataFrame, *columns: str) -> list[Row]:
    """Return what a frame of the town holds as rows of a file; EPSG:4326."""
    return [
        ({name: row[name] for name in columns}, shape)
        for (_, row), shape in zip(frame[list(columns)].iterrows(), frame.geometry, strict=True)
    ]


def wish(path: Path, layer: Layer, **more: Any) -> FileWish:
    return replace(FileWish(path, layer, town.STREET, DAY), **more)


def job() -> Scope:
    return Scope("job", (Interval.of(town.STREET),), account=town.ACCOUNT)


def administrator(street_code: int = town.STREET) -> Scope:
    return Scope("administrator", (Interval.of(street_code),), account=town.ACCOUNT)


def stage(database: Database, path: Path, layer: Layer, **more: Any) -> TerritoryImport:
    return service.stage(database, job(), wish(path, layer, **more))


def apply(
    database: Database,
    found: TerritoryImport,
    *accepted: str,
    scope: Scope | None = None,
    **how: Any,
) -> Application:
    decision = Decision(accepted=frozenset(accepted), **how)
    with database.session(scope or job()) as session, session.begin():
        return service.apply(session, found.id, decision)


def blocked(database: Database, found: TerritoryImport, *accepted: str) -> ImportBlockedError:
    """Return why an import is not applied."""
    with pytest.raises(ImportBlockedError) as raised:
        apply(database, found, *accepted)
    return raised.value


def bring_in(
    database: Database, path: Path, layer: Layer, *accepted: str, **how: Any
) -> Application:
    """Stage and apply in one go."""
    return apply(database, stage(database, path, layer), *accepted, **how)
