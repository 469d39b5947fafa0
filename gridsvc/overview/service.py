"""Reads across features: results, the stairwell card, exports and tiles."""

from datetime import date

from geopandas import GeoDataFrame
from sqlalchemy.orm import Session

from geodata.tiles import is_tile
from gridsvc.access.model import STAFF_ROLES
from gridsvc.contacts import service as contacts
from gridsvc.db import scope_of
from gridsvc.errors import NotFoundError
from gridsvc.incidents import service as incidents
from gridsvc.local_time import local_today
from gridsvc.overview import store
from gridsvc.overview.model import Results, StairwellCard
from gridsvc.people import service as people
from gridsvc.territory import service as territory
from gridsvc.territory import tiles


def read_results(session: Session) -> Results:
    """Count what has been reached in the caller's territory."""
    communities = territory.list_communities(session)
    compounds, demonstrating, buildings = store.count_compounds(session)
    posts = people.count_posts(session)
    organisations, people_in_organisations = people.count_organisations(session)
    return Results(
        communities=len(communities),
        compounds=compounds,
        demonstration_compounds=demonstrating,
        buildings=buildings,
        stairwells=sum(community.stairwell_count for community in communities),
        households=sum(community.household_count for community in communities),
        building_chiefs=posts.get("building_chief", 0),
        party_building_chiefs=posts.get("building_chief_party_member", 0),
        party_members_reported_in=people.count_reported_in(session),
        organisations=organisations,
        people_in_organisations=people_in_organisations,
        incidents_by_class=incidents.count_by_class(session),
        incidents_by_place=incidents.count_by_place(session),
    )


def own_stairwells(session: Session) -> frozenset[str] | None:
    """Return the stairwells that bound what a contact sees; ``None`` sets no bound.

    Territory and incidents know no contacts, so routes hand this to them as ``stairwell_codes``.
    """
    return contacts.list_own_stairwells(session) if scope_of(session).role == "contact" else None


def get_card(session: Session, stairwell_code: str) -> StairwellCard:
    """Return a stairwell with its contact and incidents; a contact gets own ones only.

    Raises
    ------
    NotFoundError
        The caller's territory has no such stairwell.
    """
    stairwell = territory.get_stairwell(
        session, stairwell_code, stairwell_codes=own_stairwells(session)
    )
    counts = incidents.count_by_stairwell(session, community_code=stairwell.community_code)
    return StairwellCard(
        stairwell=stairwell,
        contact=contacts.find_contact(session, stairwell_code),
        incident_count=counts.get(stairwell_code, 0),
    )


def read_tile(
    session: Session, *, layer: str, zoom: int, x: int, y: int, on: date | None = None
) -> bytes:
    """Return a Mapbox vector tile; staff see the state of contacts on stairwells.

    Parameters
    ----------
    layer
        Names of layers, with commas between; each is there by its own name, in this order. What is
        too small to be seen at the zoom is left out.
    on
        Grids as they were at the end of this day, without the state of contacts; default: as they
        are now.

    Raises
    ------
    NotFoundError
        There is no such layer or tile, or a layer is named twice.
    """
    names = layer.split(",")
    is_known = set(names) <= set(tiles.TILE_LAYERS) and len(set(names)) == len(names)
    if not is_known or not is_tile(zoom=zoom, x=x, y=y):
        raise NotFoundError("tile", f"{layer}/{zoom}/{x}/{y}")
    shown = [name for name in names if tiles.is_shown(name, zoom=zoom)]
    has_coverage = scope_of(session).role in STAFF_ROLES
    covered_on = local_today() if has_coverage and on is None else None
    return store.read_tile(session, shown, (zoom, x, y), covered_on=covered_on, on=on)


def read_uncovered(session: Session, *, limit: int = 500) -> GeoDataFrame:
    """Return stairwells without a contact as points with their names; EPSG:4326, by code."""
    today = local_today()
    return store.read_uncovered(session, on=today, limit=limit)
