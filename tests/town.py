"""A town small enough to count by hand, with a row in every table of each of two communities.

Two communities lie side by side, 4 × 4 thousandths of a degree each, the second one to the east.
Each has two compounds (west, east), each of these two buildings (south, north) of three stairwells
(west to east). Everything is given from the south-west corner of its community, in units of
1/10,000 of a degree. Outside lies what is north of 23.034.
"""

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame
from shapely import LineString, MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry
from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from geodata.territory import Territory
from gridsvc.access import service as access
from gridsvc.contacts import service as contacts
from gridsvc.contacts.plans import service as plans
from gridsvc.db import Database, Interval, Scope, ScopedSession
from gridsvc.incidents import service as incidents
from gridsvc.incidents.photos.pictures import prepare
from gridsvc.incidents.reporting.model import FollowToken, secret_bytes
from gridsvc.incidents.reporting.tables import (
    PhotoRow,
    PublishedPhotoRow,
    ReportRow,
)
from gridsvc.incidents.tables import IncidentEventRow, IncidentRow, PartyLinkRow, PartyRow
from gridsvc.jobs.tables import JobRow
from gridsvc.notices.tables import AttemptRow, ChannelRow, DeliveryRow, InboxRow, NoticeRow
from gridsvc.patrols.tables import LeftOutRow, RouteRow, ShiftRow, StopRow, TeamRow
from gridsvc.people import service as people
from gridsvc.people.tables import AbsenceRow, ExclusionRow, HoursRow
from gridsvc.territory import service as territory
from gridsvc.territory.tables import (
    BuildingRow,
    BuildingVersionRow,
    CompoundRow,
    CompoundVersionRow,
    GridLineageRow,
    ImportedFeatureRow,
    StairwellRow,
    StairwellVersionRow,
    TerritoryImportRow,
)
from gridsvc.vault import Vault
from tests.gridsvc.incidents.pictures import photo

# The processes of a test run share databases, and so must read what another one encrypted.
DATA_KEY = urlsafe_b64encode(sha256(b"of the tests").digest()).decode()
VAULT = Vault.of(DATA_KEY)
STREET = 440605011000
EAST_SHORE, WEST_BRIDGE = 440605011001, 440605011002
COMMUNITIES = {EAST_SHORE: "东岸社区", WEST_BRIDGE: "西桥社区"}
WEST, SOUTH = 113.150, 23.030
UNIT = 1e-4
ACCOUNT = UUID("0193a5e4-0000-7000-8000-000000000001")
_NAMESPACE = UUID("5f0c0c1e-3d8a-4a53-9b0a-3b1f6f3f7a10")

# Of each community: members, building chiefs, organisations, teams.
PEOPLE = {EAST_SHORE: (9, 3, 2, 1), WEST_BRIDGE: (7, 2, 3, 2)}
HOUSEHOLDS = (4, 20, 30)
"""Households of the three stairwells of each building; four are too few for a planner to see."""

BEFORE, FIRST_DAY = date(2018, 1, 1), date(2019, 1, 1)
"""Since when the first grid of each kind was what it was, and since when all are what they are."""

AWAY = date(2025, 1, 1), date(2025, 2, 1)
"""When one member of each community was absent, and must not look after a neighbour."""

MONTH = datetime(2020, 5, 4, 20, 0, tzinfo=UTC)
RELEASE_DAY = date(2020, 7, 1)
NIGHT = datetime(2020, 6, 5, 11, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Batch:
    """So many incidents of one category at one place."""

    count: int
    category_code: str
    x: float
    y: float


IN_STAIRWELL, IN_LAST_STAIRWELL, IN_COMPOUND, IN_COMMUNITY = (5, 6), (33, 28), (10, 15), (20, 20)
BATCHES = {
    EAST_SHORE: (
        Batch(12, "sanitation.rubbish", *IN_STAIRWELL),
        Batch(9, "parking.blocking", *IN_LAST_STAIRWELL),
        Batch(2, "parking.ebike", *IN_COMPOUND),
        Batch(1, "lift.fault", *IN_COMMUNITY),
    ),
    WEST_BRIDGE: (
        Batch(7, "neighbour_dispute.noise", *IN_STAIRWELL),
        Batch(3, "parking.blocking", *IN_COMPOUND),
    ),
    STREET: (Batch(2, "security.theft", 10, 60),),
}


def id_of(*parts: object) -> UUID:
    """Return the same id for the same words."""
    return uuid5(_NAMESPACE, "-".join(map(str, parts)))


def place(community_code: int, x: float, y: float) -> tuple[float, float]:
    """Return lon, lat of a place in a community, given in units from its south-west corner.

    The next sub-district, see tests/neighbour.py, begins eight communities to the east.
    """
    street, number = divmod(community_code - STREET, 1000)
    column = max(number - 1, 0) + 8 * street
    return round(WEST + (x + 40 * column) * UNIT, 7), round(SOUTH + y * UNIT, 7)


def rectangle(
    community_code: int, corner: tuple[float, float], size: tuple[float, float]
) -> Polygon:
    xmin, ymin = place(community_code, *corner)
    xmax, ymax = place(community_code, corner[0] + size[0], corner[1] + size[1])
    return box(xmin, ymin, xmax, ymax)


def compound_code(community_code: int, number: int = 1) -> str:
    return f"{community_code}{number:03d}"


def stairwell_code(
    community_code: int, *, compound: int = 1, building: int = 1, number: int = 1
) -> str:
    return f"{compound_code(community_code, compound)}{building:03d}{number:02d}"


def make_territory() -> Territory:
    """Return the town's frames, EPSG:4326."""
    rows: dict[str, list[dict[str, Any]]] = {
        layer: [] for layer in ("communities", "compounds", "buildings", "stairwells", "walkways")
    }
    for code, name in COMMUNITIES.items():
        outline = rectangle(code, (0, 0), (40, 40))
        rows["communities"].append({"code": code, "name": name, "geometry": outline})
        rows["walkways"] += _walkways(code)
        for number in (1, 2):
            _add_compound(rows, code, number)
    compounds = _frame(rows["compounds"])
    return Territory(
        STREET,
        "试验街道",
        communities=_frame(rows["communities"]),
        compounds=compounds.assign(built_year=compounds["built_year"].astype("Int64")),
        buildings=_frame(rows["buildings"]),
        stairwells=_frame(rows["stairwells"]),
        walkways=_frame(rows["walkways"]),
    )


def _add_compound(rows: dict[str, list[dict[str, Any]]], community_code: int, number: int) -> None:
    code, left = compound_code(community_code, number), 1 + 20 * (number - 1)
    rows["compounds"].append(
        {
            "code": code,
            "community_code": community_code,
            "name": f"{'东西'[number - 1]}苑_{number}%",
            "built_year": 2006 if number == 1 else None,
            "is_demonstration": number == 1,
            "geometry": rectangle(community_code, (left, 1), (18, 38)),
        }
    )
    for building in (1, 2):
        parent = {"community_code": community_code, "compound_code": code}
        low = 5 + 20 * (building - 1)
        own = f"{code}{building:03d}"
        footprint = rectangle(community_code, (left + 3, low), (12, 4))
        rows["buildings"].append(
            parent
            | {"code": own, "name": f"{building}栋", "kind": "slab", "levels": 8}
            | {"geometry": footprint}
        )
        for stairwell, households in enumerate(HOUSEHOLDS, start=1):
            part = rectangle(community_code, (left + 3 + 4 * (stairwell - 1), low), (4, 4))
            rows["stairwells"].append(
                parent
                | {"code": f"{own}{stairwell:02d}", "building_code": own}
                | {"name": f"{stairwell}梯", "household_count": households, "geometry": part}
            )


def _walkways(community_code: int) -> list[dict[str, Any]]:
    """Four arms that meet in the middle."""
    middle = place(community_code, 20, 20)
    ends = {"street": [(0, 20), (40, 20)], "footpath": [(20, 0), (20, 40)]}
    return [
        {
            "id": str(id_of("walkway", community_code, end)),
            "community_code": community_code,
            "kind": kind,
            "name": "中街" if kind == "street" else None,
            "geometry": LineString([place(community_code, *end), middle]),
        }
        for kind, pair in ends.items()
        for end in pair
    ]


def make_members() -> GeoDataFrame:
    """Return the members: every second one is in the Party, the last of each is unavailable."""
    rows: list[dict[str, Any]] = []
    for community_code, (count, *_) in PEOPLE.items():
        homes = [
            stairwell_code(community_code, compound=compound, building=building, number=number)
            for compound in (1, 2)
            for building in (1, 2)
            for number in (1, 2, 3)
        ]
        for number in range(count):
            is_party = number % 2 == 0
            rows.append(
                {
                    "id": str(id_of("member", community_code, number)),
                    "community_code": community_code,
                    "name": f"甲{number}",
                    "phone": f"1540000{number:04d}",
                    "affiliation": "party_member" if is_party else "masses",
                    "reported_in_on": date(2020, 1, 1) if is_party else None,
                    "capacity_households": 60,
                    "capacity_stairwells": 3,
                    "available": number < count - 1,
                    "home_stairwell_code": homes[number] if number else None,
                    "geometry": Point(place(community_code, 5 + number, 15)),
                }
            )
    return _frame(rows)


def make_posts() -> DataFrame:
    return DataFrame(
        [
            {
                "id": str(id_of("post", community_code, number)),
                "community_code": community_code,
                "kind": "building_chief",
                "member_id": str(id_of("member", community_code, number)),
                "compound_code": compound_code(community_code),
                "building_code": f"{compound_code(community_code)}001",
            }
            for community_code, (_, chiefs, *_) in PEOPLE.items()
            for number in range(chiefs)
        ]
    )


def make_organisations() -> DataFrame:
    return DataFrame(
        [
            {
                "id": str(id_of("organisation", community_code, number)),
                "community_code": community_code,
                "compound_code": compound_code(community_code) if number else None,
                "kind": "society" if number else "party_branch",
                "name": f"第{number}社",
                "people": 10 + number,
            }
            for community_code, (_, _, count, _) in PEOPLE.items()
            for number in range(count)
        ]
    )


def make_teams() -> GeoDataFrame:
    return _frame(
        [
            {
                "id": str(id_of("team", community_code, number)),
                "community_code": community_code,
                "name": f"第{number + 1}队",
                "starts": time(19, 30),
                "ends": time(21, 30),
                "geometry": Point(place(community_code, 20, 20)),
            }
            for community_code, (_, _, _, count) in PEOPLE.items()
            for number in range(count)
        ]
    )


def make_incidents() -> GeoDataFrame:
    """Return the incidents of `BATCHES`; the first of each batch is closed."""
    rows: list[dict[str, Any]] = []
    for community_code, batches in BATCHES.items():
        for batch in batches:
            for number in range(batch.count):
                at = MONTH + pd.Timedelta(days=len(rows))
                is_closed = number == 0
                rows.append(
                    {
                        "id": str(id_of("incident", community_code, batch.category_code, number)),
                        "category_code": batch.category_code,
                        "status": "closed" if is_closed else "reported",
                        "reported_at": at,
                        "closed_at": at + pd.Timedelta(days=2) if is_closed else None,
                        "summary": f"第{len(rows)}件",
                        "geometry": Point(place(community_code, batch.x, batch.y)),
                    }
                )
    found = _frame(rows)
    return found.assign(
        reported_at=pd.to_datetime(found["reported_at"], utc=True),
        closed_at=pd.to_datetime(found["closed_at"], utc=True),
    )


def _frame(rows: list[dict[str, Any]]) -> GeoDataFrame:
    geometries: list[BaseGeometry] = [row["geometry"] for row in rows]
    return GeoDataFrame(
        DataFrame(rows).drop(columns="geometry"), geometry=geometries, crs="EPSG:4326"
    )


def load(session: Session) -> None:
    """Load the town as the job, by the services that the commands use."""
    incidents.apply_catalogue(session)
    territory.load(session, make_territory(), valid_from=FIRST_DAY)
    people.load(
        session,
        members=make_members(),
        posts=make_posts(),
        organisations=make_organisations(),
        vault=VAULT,
    )
    add_teams(session)
    incidents.add_many(session, make_incidents())


def add_teams(session: Session) -> None:
    teams: list[Any] = list(make_teams().itertuples(index=False))
    session.execute(
        insert(TeamRow),
        [
            {
                "community_code": team.community_code,
                "id": UUID(str(team.id)),
                "name": team.name,
                "starts": team.starts,
                "ends": team.ends,
                "geom": f"SRID=4326;{team.geometry.wkt}",
            }
            for team in teams
        ],
    )


def add_past(session: Session, community_code: int) -> None:
    """Write what the first grids were before, what one of them came from, and an import."""
    code = compound_code(community_code)
    key = {"community_code": community_code}
    past = {"version": 1, "reason": "画错了"} | key
    days = {"valid_from": BEFORE, "valid_to": FIRST_DAY}
    outline = MultiPolygon([rectangle(community_code, (1, 1), (17, 38))]).wkt
    footprint = rectangle(community_code, (4, 5), (11, 4)).wkt
    session.execute(
        insert(CompoundVersionRow).values(
            **past,
            **days,
            code=code,
            name="旧苑",
            is_demonstration=False,
            geom=f"SRID=4326;{outline}",
        )
    )
    session.execute(
        insert(BuildingVersionRow).values(
            **past,
            **days,
            code=f"{code}001",
            name="旧栋",
            compound_code=code,
            kind="slab",
            levels=7,
            geom=f"SRID=4326;{footprint}",
        )
    )
    session.execute(
        insert(StairwellVersionRow).values(
            **past,
            **days,
            code=f"{code}00101",
            name="旧梯",
            building_code=f"{code}001",
            compound_code=code,
            household_count=9,
            told_household_count=9,
            geom=f"SRID=4326;{rectangle(community_code, (4, 5), (3, 4)).wkt}",
        )
    )
    for row, changed in (
        (CompoundRow, code),
        (BuildingRow, f"{code}001"),
        (StairwellRow, f"{code}00101"),
    ):
        session.execute(update(row).where(row.code == changed).values(version=2))
    session.execute(
        insert(GridLineageRow).values(
            **key,
            predecessor_code=f"{code}00199",
            successor_code=f"{code}00103",
            kind="split",
            happened_on=FIRST_DAY,
            share=0.5,
        )
    )
    import_id = id_of("import", community_code)
    session.execute(
        insert(TerritoryImportRow).values(
            **key,
            id=import_id,
            layer="compounds",
            file_name="小区.geojson",
            file_hash=b"town",
            format="GeoJSON",
            crs_name="EPSG:4326",
            columns={},
            notes=[],
            row_count=1,
            valid_from=FIRST_DAY,
            status="applied",
        )
    )
    session.execute(
        insert(ImportedFeatureRow).values(
            **key, import_id=import_id, row=1, code=code, fields={}, outcome="added"
        )
    )


def add_member_details(session: Session, community_code: int) -> None:
    """Write what is over of the second member: an absence, an exclusion; and Mondays."""
    key = {"community_code": community_code, "member_id": id_of("member", community_code, 1)}
    session.execute(
        insert(AbsenceRow).values(
            **key,
            id=id_of("absence", community_code),
            valid=Range(*AWAY),
            kind="leave",
        )
    )
    session.execute(insert(HoursRow).values(**key, weekday=1, from_minute=1140, to_minute=1260))
    session.execute(
        insert(ExclusionRow).values(
            **key,
            id=id_of("exclusion", community_code),
            stairwell_code=stairwell_code(community_code, number=2),
            reason="旧事",
            since=AWAY[0],
            until=AWAY[1],
        )
    )


def add_job(session: Session, community_code: int) -> None:
    """Write a job that a coordinator asked for long ago, and that is done."""
    session.execute(
        insert(JobRow).values(
            community_code=community_code,
            id=id_of("job", community_code),
            kind="town.count",
            status="done",
            stage="count",
            done=3,
            total=3,
            arguments={"upto": 3},
            result={"counted": 3},
            attempt=1,
            role="coordinator",
            created_at=MONTH,
            started_at=MONTH,
            finished_at=MONTH,
        )
    )


def add_life(session: Session, community_code: int) -> None:
    """Write a party, a link to it that was taken back, and an event of the oldest incident."""
    key = {"community_code": community_code}
    party_id = id_of("party", community_code)
    row = IncidentRow
    incident_id = session.scalar(
        select(row.id)
        .where(row.community_code == community_code)
        .order_by(row.reported_at, row.id)
        .limit(1)
    )
    session.execute(
        insert(PartyRow).values(
            **key,
            id=party_id,
            name="安居物业",
            kind="property_company",
            email_cipher=VAULT.encrypt("desk@example.org"),
        )
    )
    session.execute(
        insert(PartyLinkRow).values(
            **key,
            token_hash=b"town",
            incident_id=incident_id,
            party_id=party_id,
            expires_at=datetime(2100, 1, 1, tzinfo=UTC),
            revoked_at=MONTH,
        )
    )
    session.execute(
        insert(IncidentEventRow).values(
            **key,
            id=id_of("event", community_code),
            incident_id=incident_id,
            position=1,
            step="report",
            status_after="reported",
            at=MONTH,
            actor_kind="account",
            is_public=True,
        )
    )


def add_notices(session: Session, community_code: int) -> None:
    """Write a channel, a notice that could not be delivered, and the messages of two accounts."""
    key = {"community_code": community_code}
    said: dict[str, Any] = {"template": "channel.test", "values": {"channel": "三号楼群"}}
    notice_id = id_of("notice", community_code)
    delivery_id = id_of("delivery", community_code)
    place = {"place_code": str(community_code)}
    session.execute(
        insert(ChannelRow).values(
            **key,
            **place,
            id=id_of("channel", community_code),
            kind="dingtalk",
            name="三号楼群",
            address_cipher=VAULT.encrypt("https://robot.example/send?access_token=town"),
            secret_cipher=VAULT.encrypt("SECtown"),
            host="robot.example",
            created_at=MONTH,
        )
    )
    session.execute(
        insert(NoticeRow).values(
            **key, **said, **place, id=notice_id, subject="town", created_at=MONTH
        )
    )
    for number, status in enumerate(("dead", "to_copy")):
        session.execute(
            insert(DeliveryRow).values(
                **key,
                id=delivery_id if number == 0 else id_of("copy", community_code),
                notice_id=notice_id,
                kind="email" if status == "dead" else "copy",
                channel_name="三号楼群",
                address_cipher=VAULT.encrypt("a@town.example") if status == "dead" else None,
                status=status,
                attempt_count=1 - number,
                outcome="recipient" if status == "dead" else None,
                created_at=MONTH,
                ended_at=MONTH if status == "dead" else None,
            )
        )
    session.execute(
        insert(AttemptRow).values(
            **key,
            id=id_of("attempt", community_code),
            delivery_id=delivery_id,
            number=1,
            at=MONTH,
            outcome="recipient",
            status=550,
            took_ms=7,
        )
    )
    for number, account_id in enumerate((ACCOUNT, id_of("another", "account"))):
        session.execute(
            insert(InboxRow).values(
                **key,
                **said,
                id=id_of("entry", community_code, number),
                account_id=account_id,
                subject="town",
                created_at=MONTH,
            )
        )


LINK = "town-reports-are-known-a"
"""The secret of the link of every report of the town."""


def reported(community_code: int) -> UUID:
    """Return the open public incident of a community that a resident reported."""
    return id_of("incident", community_code, "parking.blocking", 1)


def photo_of(community_code: int) -> UUID:
    return id_of("photo", community_code)


def token_of(community_code: int) -> FollowToken:
    """Return the token by which the town's report of a community is followed."""
    secret = secret_bytes(LINK)
    assert secret is not None
    return FollowToken(community_code, reported(community_code), secret)


def add_report(session: Session, community_code: int) -> None:
    """Write how an incident is followed, a word of its reporter, and a published photo of it."""
    token, picture = token_of(community_code), prepare(photo())
    key = {"community_code": community_code, "incident_id": token.incident_id}
    session.execute(
        insert(ReportRow).values(
            **key,
            token_hash=token.hashed,
            token_cipher=VAULT.encrypt(token.text),
            email_cipher=VAULT.encrypt("neighbour@example.com"),
            request_hash=b"town",
            language="zh",
            entry="page",
            created_at=MONTH,
        )
    )
    photo_id = photo_of(community_code)
    session.execute(
        insert(PhotoRow).values(**key, id=photo_id, position=1, created_at=MONTH, **vars(picture))
    )
    session.execute(
        insert(PublishedPhotoRow).values(
            **key,
            photo_id=photo_id,
            image=picture.image,
            thumbnail=picture.thumbnail,
            blurred_count=1,
            published_by=ACCOUNT,
            published_at=MONTH,
        )
    )


def pin_last_lead(session: Session, plan_id: UUID) -> None:
    """Let a coordinator insist on whom a plan proposes for its last stairwell."""
    last = contacts.list_lines(session, plan_id)[-1]
    assert last.member_id is not None
    plans.override(session, plan_id, stairwell_code=last.stairwell_code, member_id=last.member_id)


def live(database: Database) -> None:
    """Fill the town as the job: contacts, a release of heat, an evening of patrols, audit."""
    with job_session(database) as session, session.begin():
        load(session)
    with job_session(database) as session, session.begin():
        for plan in contacts.propose(session, time_limit_s=0.5, seed=1).plans:
            pin_last_lead(session, plan.id)
            contacts.adopt(session, plan.id)
        incidents.release_heat(session, today=RELEASE_DAY)
    for community_code in COMMUNITIES:
        with job_session(database, community_code) as session, session.begin():
            add_patrol(session, community_code)
            add_member_details(session, community_code)
            add_past(session, community_code)
            add_job(session, community_code)
            add_report(session, community_code)
            add_notices(session, community_code)
            add_life(session, community_code)
            access.keep_answer(
                session, key=f"town-{community_code}", request=b"{}", status=201, answer={}
            )


def job_session(database: Database, code: int = STREET) -> ScopedSession:
    scope = Scope("job", (Interval.of(code),), account=ACCOUNT)
    return database.session(scope)


def add_patrol(session: Session, community_code: int) -> None:
    """Write one evening of the first team: two stops, one stairwell left out."""
    key = {"community_code": community_code}
    shift_id, route_id, run_id = (id_of(what, community_code) for what in ("shift", "route", "run"))
    during = Range(NIGHT, NIGHT + pd.Timedelta(hours=2))
    team_id = id_of("team", community_code, 0)
    session.execute(insert(ShiftRow).values(**key, id=shift_id, team_id=team_id, during=during))
    line = LineString([place(community_code, 20, 20), place(community_code, 20, 0)])
    session.execute(
        insert(RouteRow).values(
            **key,
            id=route_id,
            run_id=run_id,
            shift_id=shift_id,
            network="streets",
            seed=1,
            distance_m=222,
            walk_s=178,
            prize=130,
            geom=f"SRID=4326;{line.wkt}",
        )
    )
    for position in (1, 2):
        session.execute(
            insert(StopRow).values(
                **key,
                route_id=route_id,
                position=position,
                stairwell_code=stairwell_code(community_code, number=position),
                prize=65,
                facts={"incidents": 12},
                arrives_at=NIGHT + pd.Timedelta(minutes=10 * position),
                departs_at=NIGHT + pd.Timedelta(minutes=10 * position + 2),
                geom=f"SRID=4326;{Point(place(community_code, 5, 6)).wkt}",
            )
        )
    session.execute(
        insert(LeftOutRow).values(
            **key,
            run_id=run_id,
            stairwell_code=stairwell_code(community_code, number=3),
            reason="traded",
            prize=10,
            facts={},
        )
    )
