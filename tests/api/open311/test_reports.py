"""Reports of programs: taken once, where they belong, without anybody's name; or refused."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from gridsvc.incidents.public import filing
from gridsvc.throttle.model import Rate
from tests import town
from tests.api.log_lines import recorded
from tests.api.matrix import Caller, World
from tests.api.open311.conftest import BASE, STREET, A, B, Counter, checked
from tests.api.service import Service

pytestmark = pytest.mark.db

LON, LAT = town.place(A, *town.IN_STAIRWELL)
PLACE = {"lat": f"{LAT}", "long": f"{LON}"}
KEY = {"service_code": "sanitation-rubbish"}
PERSON = {
    "email": "smit333@sfgov.example",
    "device_id": "tt222111",
    "account_id": "123456",
    "first_name": "约翰",
    "last_name": "史密斯",
    "phone": "13800001111",
    "media_url": "http://photos.example/1.jpg",
}


@pytest.fixture
def good(api_key: str) -> dict[str, str]:
    return KEY | PLACE | {"api_key": api_key, "description": "楼道堆满纸箱\n三天了"}


def send(counter: Counter, form: dict[str, Any], **more: Any) -> str:
    """Send a report, and return its id."""
    (taken,) = counter.post("requests.json", "Taken", data=form, **more)
    return str(taken["service_request_id"])


def row_of(service: Service, incident_id: str) -> dict[str, Any]:
    with service.clone.root.connect() as connection:
        found = connection.execute(
            text("SELECT *, ST_AsText(geom) AS wkt FROM gridsvc.incident WHERE id = :id"),
            {"id": incident_id},
        )
        return dict(found.mappings().one())


def refused(counter: Counter, form: dict[str, Any], status: int = 400, **more: Any) -> list[str]:
    """Send what is refused, in both forms; return the sentences."""
    before = counter.service.clone.count("incident")
    told = counter.post("requests.json", "Errors", expects=status, data=form, **more)
    drawn = counter.post("requests.xml", "Errors", expects=status, data=form, **more)
    sentences = [error["description"] for error in told]
    assert [element.findtext("description") for element in drawn] == sentences
    assert counter.service.clone.count("incident") == before
    return sentences


# ---- taken


def test_a_report_is_written_where_it_fell_and_can_be_read_at_once(
    served_town: Service, counter: Counter, good: dict[str, str]
) -> None:
    incident_id = send(counter, good)
    row = row_of(served_town, incident_id)
    assert row["community_code"] == A
    assert row["stairwell_code"] == town.stairwell_code(A)
    assert (row["status"], row["category_code"]) == ("reported", "sanitation.rubbish")
    assert row["summary"] == "楼道堆满纸箱\n三天了"
    assert row["is_public"]
    (told,) = counter.get(f"requests/{incident_id}.json", "Extended", extensions="true")
    assert told["status"] == "open"
    due = datetime.fromisoformat(told["expected_datetime"])
    assert due == row["due_at"].replace(microsecond=0)
    assert due > datetime.now(UTC)
    assert told["extended_attributes"]["due_datetime"] == told["expected_datetime"]
    assert told["address_id"] == town.compound_code(A)
    assert (told["lat"], told["long"]) != (LAT, LON)


def test_the_specifications_own_example_is_taken_but_for_its_place(
    counter: Counter, good: dict[str, str]
) -> None:
    form = good | PERSON | {"jurisdiction_id": str(STREET), "address_string": "1234 5th street"}
    assert send(counter, form)


def test_nothing_of_the_person_is_kept(
    served_town: Service, counter: Counter, good: dict[str, str]
) -> None:
    with recorded() as lines:
        incident_id = send(counter, good | PERSON)
    with served_town.clone.root.connect() as connection:
        stored = connection.execute(
            text(
                "SELECT to_jsonb(i)::text || coalesce(string_agg(to_jsonb(a)::text, ''), '')"
                " FROM gridsvc.incident i LEFT JOIN gridsvc.audit_event a"
                " ON a.subject = i.id\\:\\:text WHERE i.id = :id GROUP BY i.*"
            ),
            {"id": incident_id},
        ).scalar_one()
    for word in PERSON.values():
        assert word not in stored
        assert word not in lines.text
    assert good["api_key"] not in lines.text


def test_a_report_counts_in_the_heat_and_in_the_trail(
    served_town: Service, counter: Counter, good: dict[str, str]
) -> None:
    counted = "SELECT sum(incident_count) FROM gridsvc.heat_cell"
    with served_town.clone.root.connect() as connection:
        before = connection.scalar(text(counted))
    incident_id = send(counter, good)
    with served_town.clone.root.connect() as connection:
        assert connection.scalar(text(counted)) == before + 1
    assert (
        served_town.clone.count(
            "audit_event", f"subject = '{incident_id}' AND action = 'incident.report'"
        )
        == 1
    )


def test_repeated_with_its_key_a_report_is_taken_once(
    served_town: Service, counter: Counter, good: dict[str, str]
) -> None:
    key = {"Idempotency-Key": f"open311-{uuid4()}"}
    first = send(counter, good, headers=key)
    before = served_town.clone.count("incident")
    assert send(counter, good, headers=key) == first
    assert served_town.clone.count("incident") == before
    other = good | {"description": "别的事"}
    assert refused(counter, other, headers=key)
    assert send(counter, good) != first


def test_the_key_may_come_in_a_header(counter: Counter, good: dict[str, str]) -> None:
    key = good.pop("api_key")
    assert send(counter, good, headers={"Authorization": f"Bearer {key}"})


@pytest.mark.parametrize(
    ("place", "community", "stairwell"),
    [
        ({"address_id": town.compound_code(B, 1)}, B, None),
        (
            {"address_id": town.stairwell_code(B, number=2)},
            B,
            town.stairwell_code(B, number=2),
        ),
        ({"address_string": "桂城 西苑_2% 5栋"}, A, None),
        (PLACE | {"address_id": "nonsense", "address_string": "x"}, A, town.stairwell_code(A)),
    ],
)
def test_a_place_is_a_position_a_code_or_words(
    served_town: Service,
    counter: Counter,
    api_key: str,
    place: dict[str, str],
    community: int,
    stairwell: str | None,
) -> None:
    row = row_of(served_town, send(counter, KEY | place | {"api_key": api_key}))
    assert row["community_code"] == community
    if stairwell:
        assert row["stairwell_code"] == stairwell
    assert row["compound_code"] is not None


def test_words_that_name_the_place_are_kept_with_the_report(
    served_town: Service, counter: Counter, api_key: str
) -> None:
    form = KEY | {"api_key": api_key, "address_string": "西苑_2% 后门", "description": "垃圾"}
    assert row_of(served_town, send(counter, form))["summary"] == "垃圾\n西苑_2% 后门"
    without = KEY | PLACE | {"api_key": api_key}
    assert row_of(served_town, send(counter, without))["summary"] == "垃圾堆放"


def test_just_outside_of_every_community_a_report_is_taken_and_flagged(
    served_town: Service, counter: Counter, good: dict[str, str]
) -> None:
    lon, lat = town.place(A, 20, 60)
    row = row_of(served_town, send(counter, good | {"long": f"{lon}", "lat": f"{lat}"}))
    assert (row["community_code"], row["place"], row["is_flagged"]) == (STREET, "outside", True)


def test_answers_to_the_questions_are_kept_in_words(
    served_town: Service, counter: Counter, api_key: str
) -> None:
    code, question = asked_with_choices(counter)
    chosen = question["values"][0]
    form = PLACE | {"api_key": api_key, "service_code": code}
    for name in (f"attribute[{question['code']}]", f"attribute[{question['code']}][]"):
        row = row_of(served_town, send(counter, form | {name: chosen["key"]}))
        assert chosen["name"] in row["summary"]
        assert question["description"] in row["summary"]
    wrong = {f"attribute[{question['code']}]": "nonsense"}
    assert "possible values" in refused(counter, form | wrong)[0]


def asked_with_choices(counter: Counter) -> tuple[str, dict[str, Any]]:
    for service in counter.get("services.json", "Services"):
        if service["metadata"]:
            found = counter.get(f"services/{service['service_code']}.json", "Definition")
            for attribute in found["attributes"]:
                if "values" in attribute:
                    return service["service_code"], attribute
    raise AssertionError("no public category asks a question with given answers")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("a\x00b\x0bc\x1f\x7f", "abc"),
        ("😀 emoji", "😀 emoji"),
        ("'; DROP TABLE incident; --", "'; DROP TABLE incident; --"),
        ("one\r\ntwo\tthree", "one\ntwo\tthree"),
        ("长" * 4000, "长" * 4000),
    ],
)
def test_words_of_any_kind_are_only_words(
    served_town: Service, counter: Counter, good: dict[str, str], sent: str, kept: str
) -> None:
    incident_id = send(counter, good | {"description": sent})
    assert row_of(served_town, incident_id)["summary"] == kept
    for form in ("json", "xml"):
        assert kept not in counter.client.get(f"{BASE}/requests/{incident_id}.{form}").text


# ---- refused


@pytest.mark.parametrize(
    "key", ["", "xyz", "gk_0123456789abcdef_" + "A" * 43, "Bearer", "\x00", "gk_" * 1000]
)
def test_without_a_valid_key_nothing_is_taken(
    counter: Counter, good: dict[str, str], key: str
) -> None:
    (sentence,) = refused(counter, good | {"api_key": key}, status=403)
    assert sentence.startswith("Missing or invalid api_key")
    del good["api_key"]
    assert refused(counter, good, status=403) == [sentence]


def test_a_key_in_the_address_is_none(counter: Counter, good: dict[str, str]) -> None:
    """Addresses are logged."""
    key = good.pop("api_key")
    refused(counter, good, status=403, params={"api_key": key})


def test_a_revoked_key_takes_nothing(
    served_town: Service, counter: Counter, good: dict[str, str]
) -> None:
    owner = served_town.account("administrator", (STREET,))
    key = World(served_town).add_key(owner.id, Caller("key", STREET))
    assert send(counter, good | {"api_key": key})
    served_town.clone.run(
        f"UPDATE gridsvc.api_key SET revoked_at = now() WHERE id = '{key.split('_')[1]}'"  # noqa: S608
    )
    refused(counter, good | {"api_key": key}, status=403)


def test_a_key_is_for_its_own_territory(
    served_town: Service, counter: Counter, good: dict[str, str]
) -> None:
    owner = served_town.account("administrator", (B,))
    key = {"api_key": World(served_town).add_key(owner.id, Caller("key", B))}
    assert "another territory" in refused(counter, good | key)[0]
    lon, lat = town.place(B, *town.IN_COMPOUND)
    assert send(counter, good | key | {"lat": f"{lat}", "long": f"{lon}"})


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"service_code": ""}, 400, "service_code was not provided"),
        ({"service_code": "ghosts"}, 404, "No service"),
        ({"service_code": "neighbour_dispute-noise"}, 404, "No service"),
        ({"service_code": "sanitation.rubbish"}, 404, "No service"),
        ({"jurisdiction_id": "sfgov.org"}, 404, "No jurisdiction"),
        ({"lat": "", "long": ""}, 400, "No location"),
        ({"lat": ""}, 400, "one without the other"),
        ({"lat": "north"}, 400, "not a position"),
        ({"lat": "nan"}, 400, "not a position"),
        ({"lat": "91"}, 400, "not a position"),
        ({"lat": "0", "long": "0"}, 400, "unknown position"),
        ({"lat": "39.3", "long": "-76.6"}, 400, "outside this jurisdiction"),
        ({"lat": f"{LON}", "long": f"{LAT}"}, 400, "not a position"),
        ({"lat": "", "long": "", "address_id": "1"}, 400, "address_id"),
        ({"lat": "", "long": "", "address_id": "9" * 20}, 400, "address_id"),
        ({"lat": "", "long": "", "address_string": "1234 5th street"}, 400, "no compound"),
        ({"lat": "", "long": "", "address_string": "x" * 600}, 400, "longer than"),
        ({"description": "x" * 4001}, 400, "4000"),
        ({"attribute[ghosts]": "1"}, 400, "attribute"),
        ({"attribute[<b>]": "1"}, 400, "attribute"),
        ({"attribute[": "1"}, 400, "attribute"),
    ],
)
def test_what_cannot_be_taken_is_named(
    counter: Counter, good: dict[str, str], change: dict[str, str], status: int, word: str
) -> None:
    assert word in refused(counter, good | change, status)[0]


def test_all_that_is_missing_is_told_at_once(counter: Counter, api_key: str) -> None:
    assert len(refused(counter, {"api_key": api_key, "description": "x" * 5000})) == 3
    assert len(refused(counter, {"api_key": api_key})) == 2


def test_a_megabyte_is_refused_before_it_is_read(counter: Counter, good: dict[str, str]) -> None:
    sentences = refused(counter, good | {"description": "x" * 1_100_000}, 413)
    assert "larger" in sentences[0]
    assert "4000" in refused(counter, good | {"description": "x" * 900_000})[0]


@pytest.mark.parametrize(
    "send_as",
    [
        {"json": {"service_code": "sanitation-rubbish"}},
        {"content": b"\xff\xfe\x00", "headers": {"Content-Type": "application/json"}},
        {"content": b"", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"content": b"%", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {
            "content": b"\xff=\xff&%ff=%ff",
            "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        },
        {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}},
        {"data": {f"field{number}": "x" for number in range(300)}},
    ],
)
def test_what_is_no_form_is_refused(counter: Counter, send_as: dict[str, Any]) -> None:
    for form in ("json", "xml"):
        answer = counter.client.post(f"{BASE}/requests.{form}", **send_as)
        assert answer.status_code in (400, 403), answer.text
        checked(answer, f"x.{form}", "Errors", answer.status_code)


def test_a_page_of_another_site_sends_nothing(counter: Counter, good: dict[str, str]) -> None:
    refused(counter, good, 403, headers={"Origin": "http://elsewhere.example"})


def test_too_many_reports_of_one_owner_have_to_wait(
    served_town: Service, good: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filing, "_BY_ACCOUNT", Rate(count=2, per_s=3600))
    owner = served_town.account("administrator", (STREET,))
    key = {"api_key": World(served_town).add_key(owner.id, Caller("key", STREET))}
    counter = Counter(served_town)
    for _ in range(2):
        send(counter, good | key)
    answer = counter.client.post(f"{BASE}/requests.json", data=good | key)
    checked(answer, "x.json", "Errors", 429)
    assert int(answer.headers["Retry-After"]) > 0
