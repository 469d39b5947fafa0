"""Filters in CQL2, which the library would turn into SQL whatever function they call.

Only listed operators, and columns of the layer, go on. A text is measured before it is parsed: the
parser tries each bracket in two ways, so forty open ones would take it years, and a chain of some
thousand operators ends the process.

References
----------
OGC 21-065r2, Common Query Language (CQL2).
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import orjson
from cql2 import Expr
from fastapi import Query

from api.errors import RequestRefusedError

_LOGIC = {"and", "or", "not"}
_COMPARISONS = {"=", "<>", "<", ">", "<=", ">=", "like", "between", "in", "isNull"}
_SPATIAL = {
    *("s_intersects", "s_contains", "s_within", "s_disjoint"),
    *("s_equals", "s_touches", "s_overlaps", "s_crosses"),
}
OPERATORS = frozenset({*_LOGIC, *_COMPARISONS, *_SPATIAL, "casei", "+", "-", "*", "/", "%"})
MOST_CHARACTERS, MOST_NESTED, MOST_OPERATORS = 4000, 6, 200
# serde_json, which reads the JSON form, ends at 128 with an error of its own.
_MOST_NESTED_JSON = 60

_QUOTED = re.compile(r"'[^']*'|\"[A-Za-z_][A-Za-z0-9_]*\"")
_OPERATOR = re.compile(r"[-+*/%^=<>|]|\b(?:and|or|not|div|between|like|in|is)\b", re.IGNORECASE)
_SHAPES = {
    *("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"),
    "GeometryCollection",
}
_SHAPE_MEMBERS = {"type", "coordinates", "geometries"}

FilterText = Annotated[
    str | None,
    Query(
        alias="filter",
        max_length=MOST_CHARACTERS,
        description="CQL2: " + ", ".join(sorted(OPERATORS)) + "; no other function.",
    ),
]
FilterLanguage = Annotated[
    Literal["cql2-text", "cql2-json"] | None,
    Query(alias="filter-lang", description="Default: text, or JSON where it begins with a brace."),
]


def read_filter(
    query: str, *, is_json: bool, columns: Collection[str], geometries: Collection[str]
) -> Expr:
    """Return a filter that is safe to hand on.

    Parameters
    ----------
    query
        CQL2, as text or as JSON.
    columns, geometries
        Names that it may speak of, and those of them that spatial operators compare.

    Raises
    ------
    RequestRefusedError
        It cannot be read, is too long or too deep, or holds what is not listed.
    """
    if "\x00" in query:
        raise _refusal("It holds a character that no text has.")
    tree = _read_json(query) if is_json else _read_text(query)
    if not isinstance(tree, dict):
        raise _refusal("It is no condition.")
    safe = _Names(frozenset(columns), frozenset(geometries)).checked(tree)
    try:
        found = Expr(safe)
        found.to_sql()
    except Exception as error:
        raise _refusal("An operator has too few or too many arguments.") from error
    return found


def _refusal(words: str) -> RequestRefusedError:
    return RequestRefusedError(400, "invalid-filter", f"The filter cannot be used. {words}")


def _read_json(query: str) -> Any:
    try:
        tree = orjson.loads(query)
    except orjson.JSONDecodeError as error:
        raise _refusal("It is no JSON.") from error
    _refuse_deep(tree, _MOST_NESTED_JSON)
    # Through the library, which drops what is no CQL2.
    return _parsed(tree)


def _read_text(query: str) -> Any:
    bare = _QUOTED.sub(" ", query)
    if "'" in bare or '"' in bare:
        raise _refusal("A quotation mark is not closed; double ones hold the name of a column.")
    if _nesting(bare) > MOST_NESTED:
        words = f"More than {MOST_NESTED} brackets inside each other: send it as cql2-json."
        raise _refusal(words)
    if len(_OPERATOR.findall(bare)) > MOST_OPERATORS:
        raise _refusal(f"It has more than {MOST_OPERATORS} operators.")
    return _parsed(query)


def _parsed(query: Any) -> Any:
    try:
        return Expr(query).to_json()
    except Exception as error:
        raise _refusal("It is no CQL2.") from error


def _nesting(text: str) -> int:
    """Return how many brackets are open at most."""
    depth = deepest = 0
    for character in text:
        if character == "(":
            depth += 1
            deepest = max(deepest, depth)
        elif character == ")":
            depth = max(0, depth - 1)
    return deepest


def _refuse_deep(node: Any, left: int) -> None:
    if left == 0:
        raise _refusal(f"More than {_MOST_NESTED_JSON} levels inside each other.")
    if isinstance(node, dict | list):
        for part in node.values() if isinstance(node, dict) else node:
            _refuse_deep(part, left - 1)


@dataclass(frozen=True)
class _Names:
    """The columns of a layer, and what a filter may make of them."""

    columns: frozenset[str]
    geometries: frozenset[str]

    def checked(self, node: Any) -> Any:
        """Return a part of a filter in which everything is listed."""
        if isinstance(node, list):
            return [self.checked(part) for part in node]
        if not isinstance(node, dict):
            return _checked_value(node)
        match node:
            case {"op": str(operator), "args": list(arguments), **others} if not others:
                part = self.place if _operator(operator) in _SPATIAL else self.checked
                if operator == "isNull" and arguments and self._is_geometry(arguments[0]):
                    return node
                return {"op": operator, "args": [part(argument) for argument in arguments]}
            case {"property": str(name), **others} if not others:
                if name not in self.columns - self.geometries:
                    raise _refusal("It names a column that the layer does not have, or no value.")
                return node
            case _:
                raise _refusal("It holds what is neither an operator, a column nor a value.")

    def place(self, node: Any) -> Any:
        """Return an argument of a spatial operator: the layer's geometry, or one that was sent."""
        if self._is_geometry(node):
            return node
        match node:
            case {"bbox": [xmin, ymin, xmax, ymax], **others} if not others:
                return _box(*(_checked_value(side) for side in (xmin, ymin, xmax, ymax)))
            case {"type": str(shape)} if shape in _SHAPES and node.keys() <= _SHAPE_MEMBERS:
                return node
            case _:
                raise _refusal("Spatial operators compare geometries.")

    def _is_geometry(self, node: Any) -> bool:
        match node:
            case {"property": str(name), **others}:
                return not others and name in self.geometries
        return False


def _operator(name: str) -> str:
    # Text may spell it in capitals, and the library keeps what it does not know as it was.
    if name not in OPERATORS:
        raise _refusal(f"Allowed are only: {', '.join(sorted(OPERATORS))}.")
    return name


def _checked_value(value: Any) -> Any:
    if isinstance(value, float) and value - value != 0:
        raise _refusal("It holds a number that is none.")
    if isinstance(value, str) and "\x00" in value:
        raise _refusal("It holds a character that no text has.")
    return value


def _box(xmin: Any, ymin: Any, xmax: Any, ymax: Any) -> Mapping[str, Any]:
    """Return a box as a polygon: the library's own would have no CRS, and PostGIS refuse it."""
    corners: Iterable[tuple[Any, Any]] = (
        *((xmin, ymin), (xmax, ymin), (xmax, ymax), (xmin, ymax)),
        (xmin, ymin),
    )
    return {"type": "Polygon", "coordinates": [[list(corner) for corner in corners]]}
