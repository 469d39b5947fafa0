"""What a caller can do with territory: load it, look at it, hand it out."""

from collections.abc import Collection
from datetime import date

from geopandas import GeoDataFrame
from sqlalchemy.orm import Session

from geodata.codes import COMPOUND_DIGITS, street_of
from geodata.territory import Territory, require_sound
from gridsvc.access import service as access
from gridsvc.audit import service as audit
from gridsvc.db import scope_of
from gridsvc.errors import DuplicateCodeError, NoTerritoryError, NotFoundError
from gridsvc.local_time import local_today
from gridsvc.territory import store
from gridsvc.territory.model import Community, Compound, Stairwell


def load(
    session: Session, territory: Territory, *, valid_from: date | None = None
) -> dict[str, int]:
    """Load a new territory; all or nothing, as the job.

    Parameters
    ----------
    valid_from
        First day on which it was as the frames say; default: today.

    Returns
    -------
    dict
        Rows loaded, by layer.

    Raises
    ------
    DuplicateCodeError
        A code exists already, or comes twice.
    InvalidGeometryError
        A geometry is missing, empty or crosses itself.
    """
    access.require_role(session, "job")
    require_sound(territory)
    _refuse_duplicates(session, territory)
    store.add_street(session, code=territory.street_code, name=territory.street_name)
    loaded = store.load(session, territory, valid_from=valid_from or local_today())
    audit.record(
        session,
        community_code=territory.street_code,
        action="territory.load",
        subject=str(territory.street_code),
        **loaded,
    )
    return loaded


def _refuse_duplicates(session: Session, territory: Territory) -> None:
    for kind, codes in store.existing_codes(session, territory).items():
        if codes:
            raise DuplicateCodeError(kind, codes)
    layers = {
        "community": territory.communities,
        "compound": territory.compounds,
        "building": territory.buildings,
        "stairwell": territory.stairwells,
    }
    for kind, frame in layers.items():
        twice = frame.loc[frame["code"].duplicated(), "code"]
        if len(twice):
            raise DuplicateCodeError(kind, [str(code) for code in twice])


def list_communities(session: Session, *, on: date | None = None) -> list[Community]:
    """Return the caller's communities with their counts on a day (default: now), by code."""
    return store.list_communities(session, on=on)


def list_compounds(
    session: Session,
    *,
    community_code: int | None = None,
    name_part: str | None = None,
    stairwell_codes: Collection[str] | None = None,
    on: date | None = None,
    after: str = "",
    limit: int = 100,
) -> list[Compound]:
    """Return at most ``limit`` compounds after a code, by code.

    Parameters
    ----------
    stairwell_codes
        Only the compounds of these stairwells; default: all.
    on
        As they were on this day; default: as they are now.
    """
    return store.list_compounds(
        session,
        community_code=community_code,
        name_part=name_part,
        codes=_compounds_of(stairwell_codes),
        on=on,
        after=after,
        limit=limit,
    )


def _compounds_of(stairwell_codes: Collection[str] | None) -> set[str] | None:
    if stairwell_codes is None:
        return None
    return {code[:COMPOUND_DIGITS] for code in stairwell_codes}


def get_compound(
    session: Session,
    code: str,
    *,
    stairwell_codes: Collection[str] | None = None,
    on: date | None = None,
) -> Compound:
    """Return one compound.

    Parameters
    ----------
    stairwell_codes
        It must be that of one of these stairwells; default: any.
    on
        As it was on this day; default: as it is now.

    Raises
    ------
    NotFoundError
        The caller's territory, or these stairwells, have no such compound.
    """
    wanted = _compounds_of(stairwell_codes)
    is_wanted = wanted is None or code in wanted
    compound = store.find_compound(session, code, on=on) if is_wanted else None
    if compound is None:
        raise NotFoundError("compound", code)
    return compound


def list_stairwells(
    session: Session,
    *,
    compound_code: str | None = None,
    stairwell_codes: Collection[str] | None = None,
    on: date | None = None,
    after: str = "",
    limit: int = 100,
) -> list[Stairwell]:
    """Return at most ``limit`` stairwells after a code, by code; areas in square metres.

    Parameters
    ----------
    stairwell_codes
        Only these; default: all.
    on
        As they were on this day; default: as they are now.
    """
    return store.list_stairwells(
        session,
        compound_code=compound_code,
        codes=stairwell_codes,
        on=on,
        after=after,
        limit=limit,
    )


def get_stairwell(
    session: Session,
    code: str,
    *,
    stairwell_codes: Collection[str] | None = None,
    on: date | None = None,
) -> Stairwell:
    """Return one stairwell.

    Parameters
    ----------
    stairwell_codes
        It must be one of these; default: any.
    on
        As it was on this day; default: as it is now.

    Raises
    ------
    NotFoundError
        The caller's territory has no such stairwell, or it is none of these.
    """
    is_wanted = stairwell_codes is None or code in stairwell_codes
    stairwell = store.find_stairwell(session, code, on=on) if is_wanted else None
    if stairwell is None:
        raise NotFoundError("stairwell", code)
    return stairwell


def find_community_at(session: Session, *, lon: float, lat: float) -> tuple[int, str] | None:
    """Return code and name of the community that covers a point, whosever it is."""
    return store.find_community_at(session, lon=lon, lat=lat)


def list_street_codes(session: Session) -> list[int]:
    """Return the codes of every sub-district that is there, whosever it is."""
    return store.list_street_codes(session)


def is_community(session: Session, code: int) -> bool:
    """Tell whether there is such a community, in any territory."""
    return store.is_community(session, code)


def list_community_names(session: Session) -> list[tuple[int, str]]:
    """Return code and name of every community, whosever it is, by code."""
    return store.list_community_names(session)


def outside_code(session: Session) -> int:
    """Return the code that what lies outside every community carries: the sub-district's own.

    Raises
    ------
    NoTerritoryError
        The caller has no territory.
    """
    intervals = scope_of(session).intervals
    if not intervals:
        raise NoTerritoryError
    return street_of(intervals[0].lo)


def read_communities(session: Session) -> GeoDataFrame:
    """Return the caller's communities as a frame; EPSG:4326."""
    return store.read_communities(session)


def read_compounds(session: Session) -> GeoDataFrame:
    """Return the caller's compounds as a frame; EPSG:4326."""
    return store.read_compounds(session)


def read_stairwells(session: Session, *, community_code: int) -> GeoDataFrame:
    """Return a community's stairwells as labelled points; EPSG:4326."""
    return store.read_stairwells(session, community_code=community_code)


def read_walkways(session: Session, *, community_code: int) -> GeoDataFrame:
    """Return a community's walkways as lines; EPSG:4326."""
    return store.read_walkways(session, community_code=community_code)
