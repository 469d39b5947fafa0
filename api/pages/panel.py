"""What stands beside the map: the words of a view, its list, and the area it is about."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from geopandas import GeoDataFrame
from pandas import Series

from api.deps import Language
from api.pages.text import Words, words_of
from gridsvc.db import ScopedSession
from gridsvc.errors import NotFoundError
from gridsvc.territory import service as territory
from maps.base import Ground
from maps.elements import GridMap

TILE_URL = "/tiles/{layer}/{z}/{x}/{y}.mvt"

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Item:
    """A row of the list beside the map.

    Attributes
    ----------
    code
        Of a compound: a click shows it on the map.
    team
        Of a patrol: a click brings its route to the front.
    box
        ``xmin, ymin, xmax, ymax`` to show, EPSG:4326.
    state
        ``missing``, ``fine`` or empty; decides the icon.
    download
        Address of a file that belongs to the row.
    """

    label: str
    note: str
    count: str
    box: Box
    code: str = ""
    team: str = ""
    state: str = ""
    download: str = ""


@dataclass(frozen=True)
class View:
    """What the page shows for a view.

    Attributes
    ----------
    box
        What to show first where that is not the whole; EPSG:4326.
    """

    page: GridMap
    headline: str
    detail: str
    list_title: str
    items: Sequence[Item]
    box: Box | None


@dataclass(frozen=True)
class Selection:
    """What a reader wants to see: a community, a compound in it, and the language."""

    language: Language
    community_code: int | None = None
    compound_code: str | None = None


@dataclass(frozen=True)
class Area:
    """The territory of a view: all of it is drawn, the chosen part is counted and listed."""

    session: ScopedSession
    communities: GeoDataFrame
    compounds: GeoDataFrame
    chosen: GeoDataFrame
    selection: Selection
    say: Words

    @property
    def ground(self) -> Ground:
        """What lies under every view; buildings, stairwells and streets come as tiles."""
        return Ground(
            communities=self.communities,
            compounds=self.compounds,
            tile_url=TILE_URL,
            attribution=" · ".join(self.communities["attribution"].unique()),
            lang=self.selection.language,
        )

    def box(self) -> Box | None:
        """Return the box of the compound or community that was chosen."""
        wanted = self.selection
        if wanted.compound_code is not None:
            return _box_of(_only(self.compounds, "compound", wanted.compound_code))
        if wanted.community_code is not None:
            return _box_of(_only(self.communities, "community", wanted.community_code))
        return None

    def items(
        self, counts: "Series[int]", describe: Callable[[int], tuple[str, str]]
    ) -> list[Item]:
        """Return the chosen compounds, the greatest count first, then by code."""
        names = self.communities.set_index("code")["name"]
        several = len(self.chosen["community_code"].unique()) > 1
        own = self.chosen.assign(
            count=self.chosen["code"].map(counts).fillna(0).astype("int64"),
            note=self.chosen["community_code"].map(names) if several else "",
        )
        ordered = own.sort_values(["count", "code"], ascending=[False, True])
        return [
            _item(row, describe(int(row["count"]))) for row in ordered.to_dict(orient="records")
        ]

    @classmethod
    def of(cls, session: ScopedSession, selection: Selection) -> "Area":
        """Read the caller's territory.

        Raises
        ------
        NotFoundError
            The caller's territory has no such community or compound.
        """
        communities = territory.read_communities(session)
        compounds = territory.read_compounds(session)
        code = selection.community_code
        chosen = compounds if code is None else compounds[compounds["community_code"] == code]
        say = words_of(selection.language)
        return cls(session, communities, compounds, chosen, selection, say)


def _only(frame: GeoDataFrame, kind: str, code: object) -> GeoDataFrame:
    found = frame[frame["code"] == code]
    if found.empty:
        raise NotFoundError(kind, code)
    return found


def _box_of(frame: GeoDataFrame) -> Box:
    xmin, ymin, xmax, ymax = (float(edge) for edge in frame.total_bounds)
    return xmin, ymin, xmax, ymax


def _item(row: dict[Any, Any], words: tuple[str, str]) -> Item:
    xmin, ymin, xmax, ymax = row["geometry"].bounds
    return Item(
        label=str(row["name"]),
        note=str(row["note"]),
        count=words[0],
        box=(xmin, ymin, xmax, ymax),
        code=str(row["code"]),
        state=words[1],
    )
