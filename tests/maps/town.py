"""A little invented town, laid out by hand: 2 communities, 6 compounds, 36 stairwells in each.

All frames are EPSG:4326; metres count east and north from the town's south-west corner.
"""

from datetime import datetime, timedelta, timezone
from typing import Any

from geopandas import GeoDataFrame
from shapely import LineString, Point, Polygon, box

from geodata.crs import GEOGRAPHIC

WEST, SOUTH = 113.140, 23.020
METRE_LON, METRE_LAT = 1 / 102_400, 1 / 110_750
BLOCK_M = 280

NAMES = ("翠湖花园", "江畔雅苑", "桂香里", "明月居", "朝阳新村", "枫林轩")
TEAMS = ("第1队", "第2队")
CHINA = timezone(timedelta(hours=8))


def lon_lat(x_m: float, y_m: float) -> tuple[float, float]:
    return WEST + x_m * METRE_LON, SOUTH + y_m * METRE_LAT


def rectangle(x_m: float, y_m: float, width_m: float, height_m: float) -> Polygon:
    return box(*lon_lat(x_m, y_m), *lon_lat(x_m + width_m, y_m + height_m))


def line(*corners_m: tuple[float, float]) -> LineString:
    return LineString([lon_lat(x, y) for x, y in corners_m])


def communities() -> GeoDataFrame:
    rows = [
        (440605011001, "东岸社区", rectangle(0, 0, 420, 560)),
        (440605011002, "西桥社区", rectangle(420, 0, 420, 560)),
    ]
    return frame(rows, ["code", "name"])


def compounds() -> GeoDataFrame:
    rows = []
    for place, name in enumerate(NAMES):
        x, y = place // 2 * BLOCK_M + 10, place % 2 * BLOCK_M + 10
        community = 440605011001 if x < 20 else 440605011002
        code = f"{community}{place + 1:03d}"
        rows.append((code, community, name, rectangle(x, y, 260, 260)))
    return frame(rows, ["code", "community_code", "name"])


def buildings() -> GeoDataFrame:
    """Twelve slabs a compound, 60 by 16 metres."""
    rows = []
    for place, (code, _, name, _) in enumerate(compounds().itertuples(index=False)):
        for number in range(12):
            x = place // 2 * BLOCK_M + 25 + number // 4 * 80
            y = place % 2 * BLOCK_M + 30 + number % 4 * 60
            slab = rectangle(x, y, 60, 16)
            rows.append((f"{code}{number + 1:03d}", f"{number + 1}栋", name, slab))
    return frame(rows, ["code", "name", "compound_name"])


def stairwells() -> GeoDataFrame:
    """Three a building: every ninth uncovered, of the others every eighth overloaded or away."""
    rows: list[tuple[Any, ...]] = []
    for code, name, compound_name, slab in buildings().itertuples(index=False):
        west, south, east, north = slab.bounds
        width = (east - west) / 3
        for number in range(3):
            part = box(west + number * width, south, west + (number + 1) * width, north)
            row = (f"{code}{number + 1:02d}", f"{number + 1}梯", name, compound_name)
            rows.append((*row, _state(len(rows)), 24, part))
    columns = ["code", "name", "building_name", "compound_name", "state", "household_count"]
    return frame(rows, columns)


def state_counts() -> dict[str, int]:
    return {str(state): int(count) for state, count in stairwells()["state"].value_counts().items()}


def _state(number: int) -> str:
    if number % 9 == 4:
        return "uncovered"
    if number % 8 == 1:
        return "overloaded"
    if number % 8 == 6:
        return "absent"
    return ("covered_party", "covered_other")[number % 2]


def walkways() -> GeoDataFrame:
    rows = [(f"s{x}", "street", line((x, 0), (x, 560))) for x in (0, 280, 560, 840)]
    rows += [(f"r{y}", "residential", line((0, y), (840, y))) for y in (0, 280, 560)]
    rows += [(f"f{x}", "footpath", line((x, 10), (x, 550))) for x in (100, 380, 660)]
    return frame(rows, ["id", "kind"])


def cells() -> GeoDataFrame:
    """7 by 5 cells of 120 m whose counts fall off round one of them; two withheld, five hot."""
    rows = []
    for x in range(7):
        for y in range(5):
            count = (
                None
                if (x, y) in {(6, 3), (6, 4)}
                else round(60 * 0.55 ** (abs(x - 2) + abs(y - 1)))
            )
            rows.append(
                (count, count is not None and count >= 33, rectangle(x * 120, y * 120, 120, 120))
            )
    made = frame(rows, ["incident_count", "is_hot"])
    return made.assign(incident_count=made["incident_count"].astype("Int64"))


def routes(teams: tuple[str, ...] = TEAMS) -> GeoDataFrame:
    return frame([(team, line(*_way(n))) for n, team in enumerate(teams)], ["team_name"])


def stops(teams: tuple[str, ...] = TEAMS) -> GeoDataFrame:
    """At each corner of a route but the first and the last."""
    evening = datetime(2020, 6, 1, 19, 30, tzinfo=CHINA)
    rows = [
        (
            team,
            number,
            f"{NAMES[(place + number) % 6]} {number}栋",
            evening + timedelta(minutes=9 * number),
            "近三个月有 4 件电动车充电事项",
            Point(lon_lat(*corner)),
        )
        for place, team in enumerate(teams)
        for number, corner in enumerate(_way(place)[1:-1], start=1)
    ]
    return frame(rows, ["team_name", "sequence", "name", "arrival_at", "reason"])


def posts(teams: tuple[str, ...] = TEAMS) -> GeoDataFrame:
    """One post for all."""
    return frame(
        [(team, "党群服务站", Point(lon_lat(5, 280))) for team in teams], ["team_name", "name"]
    )


def _way(place: int) -> list[tuple[float, float]]:
    shift = 17 * (place % 20)
    turns = [(5, 40), (150, 40), (275, 40), (275, 290), (400, 290), (400, 520)]
    return [(5, 280), *((x + shift, y) for x, y in turns), (555, 520)]


def middle(area: Polygon) -> tuple[float, float]:
    """The middle of an area as lat, lon."""
    return area.centroid.y, area.centroid.x


def frame(rows: list[Any], columns: list[str]) -> GeoDataFrame:
    return GeoDataFrame(rows, columns=[*columns, "geometry"], geometry="geometry", crs=GEOGRAPHIC)
