"""The sub-district next to the town: one community, for callers who are at home elsewhere.

It is the town's first community once more, with fewer rows in every table, so that no count of
one passes for the other's.
"""

from datetime import timedelta
from uuid import UUID

from geopandas import GeoDataFrame
from pandas import DataFrame
from sqlalchemy.orm import Session

from geodata.territory import Territory
from gridsvc.access import service as access
from gridsvc.contacts import service as contacts
from gridsvc.db import Database
from gridsvc.incidents import service as incidents
from gridsvc.patrols import service as patrols
from gridsvc.people import service as people
from gridsvc.territory import service as territory
from tests import town

STREET = town.STREET + 1000
HARBOUR = STREET + 1

# Of these kinds of rows, so many are kept; of grids, those of the first compound.
MEMBERS, CHIEFS, ORGANISATIONS, INCIDENTS = 5, 1, 1, 8
_MODEL = town.EAST_SHORE
_EAST_DEG = town.place(HARBOUR, 0, 0)[0] - town.WEST
_CODES = ("code", "compound_code", "building_code", "home_stairwell_code")
_IDS = ("id", "member_id")


def live(database: Database) -> None:
    """Fill the sub-district as the job, after the town: all that `tests.town.live` makes."""
    with town.job_session(database, STREET) as session, session.begin():
        _load(session)
    with town.job_session(database, STREET) as session, session.begin():
        for plan in contacts.propose(session, time_limit_s=0.2, seed=1).plans:
            town.pin_last_lead(session, plan.id)
            contacts.adopt(session, plan.id)
        incidents.release_heat(session, today=town.RELEASE_DAY)
    with town.job_session(database, HARBOUR) as session, session.begin():
        town.add_patrol(session, HARBOUR)
        town.add_job(session, HARBOUR)
        town.add_notices(session, HARBOUR)
        town.add_life(session, HARBOUR)
        access.keep_answer(session, key=f"town-{HARBOUR}", request=b"{}", status=201, answer={})


def _load(session: Session) -> None:
    territory.load(session, make_territory())
    people.load(
        session,
        members=_placed(town.make_members()).head(MEMBERS),
        posts=_moved(town.make_posts()).head(CHIEFS),
        organisations=_moved(town.make_organisations()).head(ORGANISATIONS),
        vault=town.VAULT,
    )
    team_id = str(town.id_of("team", HARBOUR, 0))  # as `tests.town.add_patrol` looks for it
    patrols.add_teams(session, GeoDataFrame(_placed(town.make_teams()).assign(id=team_id)))
    # At an hour of their own: the order of two incidents of the same time would be by chance.
    reports = _shifted(town.make_incidents().head(INCIDENTS))
    later = reports["reported_at"] + timedelta(hours=1)
    ids = reports["id"].map(_other_id)
    incidents.add_many(session, GeoDataFrame(reports.assign(id=ids, reported_at=later)))


def make_territory() -> Territory:
    """Return the frames: one compound, two buildings, six stairwells; EPSG:4326."""
    model = town.make_territory()
    streets = model.walkways[model.walkways["kind"] == "street"]
    return Territory(
        STREET,
        "邻镇街道",
        communities=GeoDataFrame(_placed(model.communities).assign(name="海港社区")),
        compounds=_within_first_compound(_placed(model.compounds)),
        buildings=_within_first_compound(_placed(model.buildings)),
        stairwells=_within_first_compound(_placed(model.stairwells)),
        walkways=_placed(GeoDataFrame(streets)),
    )


def _within_first_compound(grids: GeoDataFrame) -> GeoDataFrame:
    return GeoDataFrame(grids[grids["code"].str.startswith(town.compound_code(HARBOUR))])


def _placed(frame: GeoDataFrame) -> GeoDataFrame:
    """Return the rows of the model community as those of this one, where this one lies."""
    return _shifted(GeoDataFrame(_moved(frame)))


def _shifted(frame: GeoDataFrame) -> GeoDataFrame:
    return frame.set_geometry(frame.geometry.translate(xoff=_EAST_DEG))


def _moved(frame: DataFrame) -> DataFrame:
    """Return the rows of the model community with the codes of this one, and other ids."""
    key = "community_code" if "community_code" in frame.columns else "code"
    own = frame[frame[key] == _MODEL].assign(**{key: HARBOUR})
    renamed = {
        name: own[name].map(rename, na_action="ignore")
        for names, rename in ((_CODES, _other_code), (_IDS, _other_id))
        for name in names
        if name in own.columns and name != key
    }
    return own.assign(**renamed)


def _other_code(code: str) -> str:
    return code.replace(str(_MODEL), str(HARBOUR), 1)


def _other_id(one: str) -> str:
    return str(town.id_of("neighbour", UUID(one)))
