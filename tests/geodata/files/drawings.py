"""Small drawings in DXF, written out by hand: what CAD exports hold, and what they should not."""

from collections.abc import Iterable

import shapely
from shapely import Polygon

_HEADER = ((0, "SECTION"), (2, "HEADER"), (9, "$ACADVER"), (1, "AC1015"))
_CODE_PAGE = ((9, "$DWGCODEPAGE"), (3, "ANSI_936"), (0, "ENDSEC"))

Group = tuple[int, object]


def polyline(
    shape: Polygon, *, layer: str = "JZ", is_closed: bool = True, kind: str = "AcDbPolyline"
) -> list[Group]:
    """Return the outer ring of a polygon as a lightweight polyline."""
    vertices = shapely.get_coordinates(shape.exterior)[:-1]
    head: list[Group] = [(0, "LWPOLYLINE"), (5, "A1"), (100, "AcDbEntity"), (8, layer)]
    head += [(100, kind), (90, len(vertices)), (70, int(is_closed))]
    return head + [group for x, y in vertices for group in ((10, float(x)), (20, float(y)))]


def text(words: str, *, x: float, y: float) -> list[Group]:
    """Return a text at a place."""
    return [(0, "TEXT"), (100, "AcDbEntity"), (8, "ZJ"), (100, "AcDbText"), (10, x), (20, y),
            (40, 2.5), (1, words)]  # fmt: skip


def circle(*, x: float, y: float, radius: float) -> list[Group]:
    """Return a circle."""
    return [(0, "CIRCLE"), (100, "AcDbEntity"), (8, "S"), (100, "AcDbCircle"), (10, x), (20, y),
            (40, radius)]  # fmt: skip


def insert(block: str, *, x: float, y: float) -> list[Group]:
    """Return an insertion of a block."""
    return [(0, "INSERT"), (100, "AcDbEntity"), (8, "B"), (100, "AcDbBlockReference"), (2, block),
            (10, x), (20, y)]  # fmt: skip


def written(entities: Iterable[Group], *, blocks: Iterable[Group] = ()) -> str:
    """Return a drawing of entities, and of blocks that they may insert."""
    groups: list[Group] = [*_HEADER, *_CODE_PAGE]
    groups += [(0, "SECTION"), (2, "BLOCKS"), *blocks, (0, "ENDSEC")]
    groups += [(0, "SECTION"), (2, "ENTITIES"), *entities, (0, "ENDSEC"), (0, "EOF")]
    return "".join(f"{code}\n{value}\n" for code, value in groups)


def block(name: str, entities: Iterable[Group]) -> list[Group]:
    """Return the definition of a block."""
    head: list[Group] = [(0, "BLOCK"), (8, "0"), (2, name), (70, 0), (10, 0.0), (20, 0.0)]
    return [*head, *entities, (0, "ENDBLK")]


def drawing(shapes: Iterable[tuple[str, Polygon]]) -> str:
    """Return a drawing of named polygons."""
    entities: list[Group] = []
    for name, shape in shapes:
        centre = shape.representative_point()
        entities += polyline(shape) + text(name, x=centre.x, y=centre.y)
    return written(entities)
