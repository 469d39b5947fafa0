"""Places of reports: where one is meant, what a notice's code leads to, what is near already."""

import re
from datetime import UTC, datetime, timedelta

from geopandas import GeoDataFrame
from sqlalchemy.orm import Session

from geodata.categories import Category, class_of
from geodata.codes import community_of, street_of
from gridsvc.access.signing_in import Caller
from gridsvc.db import MAX_INTERVALS, NOBODY, Database, Interval, Scope
from gridsvc.errors import NotFoundError, UnknownPlaceError
from gridsvc.incidents import service as incidents
from gridsvc.incidents.reporting import store
from gridsvc.incidents.reporting.model import (
    ENDED,
    NEAR_WITHIN_M,
    SIMILAR_DAYS,
    SIMILAR_WITHIN_M,
    Door,
    Similar,
    Spot,
    Where,
)
from gridsvc.incidents.reporting.words import public_words
from gridsvc.territory import service as territory
from gridsvc.throttle import service as throttle
from gridsvc.throttle.model import Key, Rate, subnet_of

_STAIRWELL_CODE = re.compile(r"[0-9]{20}")
# A finger that moves a point about asks a few times a minute.
_LOOKS = Rate(count=600, per_s=3600)
_MOST_SIMILAR = 5


def _community_scope(community_code: int) -> Scope:
    return Scope("resident", (Interval(community_code, community_code),))


def locate(database: Database, where: Where) -> Spot:
    """Return the place that a reporter means.

    Raises
    ------
    UnknownPlaceError
        No stairwell or compound in use has the code; or the point lies far from every community.
    """
    code = where.stairwell_code or where.compound_code
    if code is not None:
        return _by_code(database, where, community_of(code))
    if where.lon is None or where.lat is None:
        raise UnknownPlaceError("The report does not say where.")
    return _at(database, lon=where.lon, lat=where.lat)


def _by_code(database: Database, where: Where, community_code: int) -> Spot:
    with (
        database.session(_community_scope(community_code), read_only=True) as session,
        session.begin(),
    ):
        try:
            return named(session, where)
        except NotFoundError as error:
            raise UnknownPlaceError(f"No {error.kind} in use has this code.") from error


def named(session: Session, where: Where) -> Spot:
    """Return a stairwell or compound in use, with the names that people know.

    Raises
    ------
    NotFoundError
        There is none with this code.
    """
    if where.stairwell_code:
        stairwell = territory.get_stairwell(session, where.stairwell_code)
        return Spot(
            stairwell.community_code,
            "stairwell",
            stairwell.lon,
            stairwell.lat,
            stairwell_code=stairwell.code,
            compound_code=stairwell.compound_code,
            community_name=store.find_community_name(session, stairwell.community_code),
            compound_name=stairwell.compound_name,
            stairwell_name=f"{stairwell.building_name} {stairwell.name}",
        )
    compound = territory.get_compound(session, where.compound_code or "")
    return Spot(
        compound.community_code,
        "compound",
        compound.lon,
        compound.lat,
        compound_code=compound.code,
        community_name=store.find_community_name(session, compound.community_code),
        compound_name=compound.name,
    )


def _at(database: Database, *, lon: float, lat: float) -> Spot:
    with database.session(NOBODY, read_only=True) as session, session.begin():
        found = territory.find_community_at(session, lon=lon, lat=lat)
        near = found or store.find_community_near(session, lon=lon, lat=lat, within_m=NEAR_WITHIN_M)
    if near is None:
        raise UnknownPlaceError("This point lies far from every community that is looked after.")
    code, name = near
    if found is None:
        return Spot(street_of(code), "outside", lon, lat)
    with database.session(_community_scope(code), read_only=True) as session, session.begin():
        stairwell, compound = store.find_grids_at(session, code, lon=lon, lat=lat)
        if stairwell is None and compound is None:
            return Spot(code, "community", lon, lat, community_name=name)
        return _moved(named(session, Where(stairwell, compound)), lon=lon, lat=lat)


def find_door(database: Database, code: str) -> Door:
    """Return what the code of a stairwell notice leads to, be it long out of date, or none."""
    if not _STAIRWELL_CODE.fullmatch(code):
        return Door(code)
    scope = _community_scope(community_of(code))
    with database.session(scope, read_only=True) as session, session.begin():
        ended_on = store.find_end(session, code)
        if ended_on is None:
            return Door(code, spot=_find_named(session, code))
        return Door(code, ended_on=ended_on, successors=tuple(_successors(session, code)))


def _find_named(session: Session, code: str) -> Spot | None:
    try:
        return named(session, Where(stairwell_code=code))
    except NotFoundError:
        return None


def _successors(session: Session, code: str) -> list[Spot]:
    """Return what a stairwell became, through as many splits and mergers as there were."""
    found: dict[str, Spot] = {}
    seen, waiting = {code}, [code]
    while waiting:
        for one in store.list_successors(session, waiting.pop()):
            if one in seen:
                continue
            seen.add(one)
            spot = _find_named(session, one)
            if spot:
                found[one] = spot
            else:
                waiting.append(one)
    return [found[one] for one in sorted(found)]


def read_ground(database: Database) -> tuple[GeoDataFrame, GeoDataFrame]:
    """Return the communities and compounds to choose a place from; EPSG:4326.

    Of a database of more than four sub-districts, those of the first four: a scope has no more.
    """
    with database.session(NOBODY, read_only=True) as session, session.begin():
        streets = store.list_streets(session, limit=MAX_INTERVALS)
    scope = Scope("resident", tuple(map(Interval.of, streets)))
    with database.session(scope, read_only=True) as session, session.begin():
        return territory.read_communities(session), territory.read_compounds(session)


def list_categories(database: Database) -> list[Category]:
    """Return the categories that can be reported, classes before their sub-categories."""
    with database.session(NOBODY, read_only=True) as session, session.begin():
        return incidents.list_categories(session)


def _moved(spot: Spot, *, lon: float, lat: float) -> Spot:
    return Spot(**{**vars(spot), "lon": lon, "lat": lat})


# ---- what is near already


def list_similar(database: Database, spot: Spot, category_code: str) -> list[Similar]:
    """Return open public incidents of the same class near a spot, the nearest first.

    What is not for everybody is not among them, nor hinted at.
    """
    with (
        database.session(_community_scope(spot.community_code), read_only=True) as session,
        session.begin(),
    ):
        found = store.list_similar(
            session,
            spot,
            class_code=class_of(category_code),
            ended=ENDED,
            since=datetime.now(UTC) - timedelta(days=SIMILAR_DAYS),
            within_m=SIMILAR_WITHIN_M,
            limit=_MOST_SIMILAR,
        )
    return [Similar(**{**vars(one), "words": public_words(one.words)}) for one in found]


def look_round(
    database: Database, where: Where, category_code: str, *, caller: Caller | None
) -> tuple[Spot, list[Similar]]:
    """Return the place that somebody is about to report, and what is reported there already.

    Raises
    ------
    UnknownPlaceError
        As `locate`.
    TooManyTriesError
        From this subnet there were too many looks of late.
    """
    if caller is not None:
        limits = {Key("report look from", subnet_of(caller.address)): _LOOKS}
        with database.session(NOBODY) as session, session.begin():
            throttle.take(session, limits)
    spot = locate(database, where)
    return spot, list_similar(database, spot, category_code)
