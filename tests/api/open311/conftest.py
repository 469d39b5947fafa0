"""The service over the town with a few reports of today, and clients that check every answer."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest
from geopandas import GeoDataFrame, points_from_xy
from starlette.testclient import TestClient

from api.open311.writing import MEDIA_TYPES, Form
from gridsvc.incidents import service as incidents
from tests import town
from tests.api.matrix import Caller, World
from tests.api.open311.schemas import faults_of
from tests.api.service import Service, serving
from tests.databases import Clone, drop, make_clone

BASE = "/open311/v2"
A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
HOSTILE = "<script>alert(1)</script>&amp;]]>\x0b\x1f"
"""Name of the second compound of B: markup, an entity, and what XML cannot hold."""

# Reports of this week: category, place, how many hours ago, whether it was closed an hour later.
FRESH = (
    ("public_facility.stairwell_lights", town.place(A, *town.IN_STAIRWELL), 30.5, False),
    ("public_facility.stairwell_lights", town.place(A, *town.IN_COMPOUND), 20.25, True),
    ("safety.falling_objects", town.place(B, *town.IN_LAST_STAIRWELL), 10.125, False),
    ("parking.shortage", town.place(B, *town.IN_COMMUNITY), 5.0, False),
    ("neighbour_dispute.noise", town.place(A, *town.IN_STAIRWELL), 3.0, False),
    ("safety.facade", town.place(A, 20, 60), 2.0, False),
)
SHOWN = 4
"""How many of them are for everybody: one is private, one lies outside of every community."""


def fresh_id(number: int) -> str:
    return str(town.id_of("fresh", number))


def add_fresh(clone: Clone) -> None:
    """Add the reports of this week, and give a compound its hostile name."""
    now = datetime.now(UTC)
    at = [now - timedelta(hours=hours) for *_, hours, _ in FRESH]
    closed: list[Any] = [
        moment + timedelta(hours=1) if is_closed else None
        for moment, (*_, is_closed) in zip(at, FRESH, strict=True)
    ]
    frame = GeoDataFrame(
        {
            "id": [fresh_id(number) for number in range(len(FRESH))],
            "category_code": [category for category, *_ in FRESH],
            "status": ["closed" if moment else "reported" for moment in closed],
            "reported_at": pd.to_datetime(at, utc=True),
            "closed_at": pd.to_datetime(closed, utc=True),
            "summary": ["三楼张先生 13812345678"] * len(FRESH),
        },
        geometry=points_from_xy(*zip(*(place for _, place, *_ in FRESH), strict=True)),
        crs="EPSG:4326",
    )
    with town.job_session(clone.job) as session, session.begin():
        assert len(incidents.add_many(session, frame)) == len(FRESH)
    code = town.compound_code(B, 2)
    with clone.root.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE gridsvc.compound SET name = %(name)s WHERE code = %(code)s",
            {"name": HOSTILE, "code": code},
        )


@dataclass
class Counter:
    """A client of the interface; every answer it gets fits the schema of its kind."""

    service: Service
    client: TestClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.service.visitor()
        del self.client.headers["Origin"]  # programs send none

    def get(self, path: str, kind: str, *, expects: int = 200, **params: Any) -> Any:
        """Ask; return JSON as it is, XML as its root."""
        return checked(self.client.get(f"{BASE}/{path}", params=params), path, kind, expects)

    def post(self, path: str, kind: str, *, expects: int = 200, **send: Any) -> Any:
        """Send a form."""
        return checked(self.client.post(f"{BASE}/{path}", **send), path, kind, expects)

    def requests(self, **params: Any) -> list[dict[str, Any]]:
        """Return requests as JSON."""
        kind = "Extended" if params.get("extensions") == "true" else "Request"
        found: list[dict[str, Any]] = self.get("requests.json", kind, **params)
        return found

    def errors(self, path: str, expects: int, **params: Any) -> list[str]:
        """Return the sentences of a refusal, the same in both forms."""
        told = self.get(f"{path}.json", "Errors", expects=expects, **params)
        drawn = self.get(f"{path}.xml", "Errors", expects=expects, **params)
        assert {error["code"] for error in told} == {expects}
        sentences = [error["description"] for error in told]
        assert [element.findtext("description") for element in drawn] == sentences
        return sentences


def checked(answer: Any, path: str, kind: str, status: int) -> Any:
    """Return an answer that is what was asked for, and fits its schema."""
    form: Form = "json" if path.endswith(".json") else "xml"
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPES[form]
    assert faults_of(kind, form, answer.content) == [], answer.text
    return answer.json() if form == "json" else ElementTree.fromstring(answer.content)  # noqa: S314 - our own


@pytest.fixture(scope="package")
def served_town(cluster: Any, town_template: str) -> Iterator[Service]:
    """The town with the reports of this week; tests may add more, and count what they add."""
    clone = make_clone(cluster, town_template)
    try:
        add_fresh(clone)
        with serving(clone) as service:
            yield service
    finally:
        drop(clone)


@pytest.fixture
def counter(served_town: Service) -> Counter:
    return Counter(served_town)


@pytest.fixture(scope="package")
def api_key(served_town: Service) -> str:
    """A key of the sub-district's administrator."""
    owner = served_town.account("administrator", (STREET,))
    return World(served_town).add_key(owner.id, Caller("key", STREET))
