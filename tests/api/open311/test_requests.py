"""What can be asked for, what is never told, and what is no question."""

from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest

from tests import neighbour, town
from tests.api.open311.conftest import (
    BASE,
    FRESH,
    HOSTILE,
    STREET,
    A,
    B,
    Counter,
    checked,
    fresh_id,
)
from tests.api.service import Service

pytestmark = pytest.mark.db

IN_2020 = {"start_date": "2020-05-01T00:00:00Z", "end_date": "2020-07-01T00:00:00Z"}
THE_2020S = 27
"""Public incidents of the town itself, all of May 2020."""


def ids(requests: list[dict[str, Any]]) -> list[str]:
    return [one["service_request_id"] for one in requests]


# ---- which requests


def test_the_last_90_days_are_the_standard_and_the_newest_come_first(counter: Counter) -> None:
    found = counter.requests()
    known = [one for one in ids(found) if one in {fresh_id(n) for n in range(len(FRESH))}]
    assert known == [fresh_id(number) for number in (3, 2, 1, 0)]
    moments = [one["requested_datetime"] for one in found]
    assert moments == sorted(moments, reverse=True)
    assert min(moments) > "2026" or datetime.now(UTC).year > 2026


@pytest.mark.parametrize(
    ("parameters", "count"),
    [
        (IN_2020, THE_2020S),
        ({"start_date": "2020-05-01T00:00:00Z"}, THE_2020S),
        ({"end_date": "2020-07-01T00:00:00Z"}, THE_2020S),
        ({"start_date": "2020-05-01T08:00:00+08:00"}, THE_2020S),
        ({"start_date": "2020-05-01T08:00:00 08:00"}, THE_2020S),  # its plus sign got lost
        ({"start_date": "2020-05-01", "end_date": "2020-07-01"}, THE_2020S),
        ({"start_date": "2020-05-05", "end_date": "2020-05-05"}, 1),
        ({"start_date": "2020-05-04T20:00:00Z", "end_date": "2020-05-04T20:00:00Z"}, 1),
        ({"start_date": "2020-01-01", "end_date": "2020-03-30"}, 0),
        (IN_2020 | {"service_code": "lift-fault"}, 1),
        (IN_2020 | {"service_code": "lift-fault,parking-ebike"}, 3),
        (IN_2020 | {"service_code": ["lift-fault", "parking-ebike"]}, 3),
        (IN_2020 | {"service_code": "lift.fault"}, 0),
        (IN_2020 | {"service_code": "neighbour_dispute-noise"}, 0),
        (IN_2020 | {"service_code": "ghosts"}, 0),
        (IN_2020 | {"service_code": "", "status": "", "bbox": "", "page": ""}, THE_2020S),
        (IN_2020 | {"status": "closed"}, 5),
        (IN_2020 | {"status": "open"}, THE_2020S - 5),
        (IN_2020 | {"status": "open,closed"}, THE_2020S),
        (IN_2020 | {"status": ["Open", "closed"]}, THE_2020S),
        (IN_2020 | {"page_size": "10"}, 10),
        (IN_2020 | {"page": "3", "page_size": "10"}, 7),
        (IN_2020 | {"page": "4", "page_size": "10"}, 0),
        (IN_2020 | {"page_size": "5000"}, THE_2020S),
        (IN_2020 | {"bbox": "113.15,23.03,113.1515,23.034"}, 14),
        (IN_2020 | {"bbox": "-180,-90,180,90"}, THE_2020S),
        (IN_2020 | {"bbox": "0,0,1,1"}, 0),
    ],
)
def test_parameters_narrow_the_list(
    counter: Counter, parameters: dict[str, Any], count: int
) -> None:
    assert len(counter.requests(**parameters)) == count
    assert len(counter.get("requests.xml", "Request", **parameters)) == count


def test_ids_override_everything_else(counter: Counter) -> None:
    old = str(town.id_of("incident", A, "lift.fault", 0))
    wanted = f"{old}, {fresh_id(0)},{fresh_id(4)},nothing,{'0' * 32}"
    found = counter.requests(service_request_id=wanted, status="?", start_date="x", page="0")
    assert ids(found) == [fresh_id(0), old]


def test_pages_follow_each_other(counter: Counter) -> None:
    whole = ids(counter.requests(**IN_2020))
    parts = [
        one
        for page in (1, 2, 3)
        for one in ids(counter.requests(**IN_2020, page=str(page), page_size="10"))
    ]
    assert parts == whole


# ---- what is told


def test_a_request_tells_the_kind_the_place_and_the_state(counter: Counter) -> None:
    (told,) = counter.get(f"requests/{fresh_id(1)}.json", "Extended", extensions="true", lang="en")
    reported = datetime.now(UTC) - timedelta(hours=FRESH[1][2])
    assert abs(datetime.fromisoformat(told["requested_datetime"]) - reported) < timedelta(hours=1)
    assert told["status"] == told["extended_attributes"]["status"] == "closed"
    assert told["status_notes"] == "Closed"
    assert told["address"] == "东苑_1%, 东岸社区, 试验街道"
    grid = town.compound_code(A, 1)
    assert told["address_id"] == told["extended_attributes"]["grid_code"] == grid
    assert told["extended_attributes"]["community_code"] == str(A)
    assert [note["type"] for note in told["notes"]] == ["report", "close"]
    assert told["notes"][-1]["datetime"] == told["updated_datetime"]
    assert "expected_datetime" not in told  # nothing is due, and an empty one would be no time


def test_extensions_come_only_when_asked_for(counter: Counter) -> None:
    for word in ("false", "", "0"):
        (plain,) = counter.requests(service_request_id=fresh_id(0), extensions=word)
        assert not {"extended_attributes", "notes"} & plain.keys()


def test_outside_of_compounds_the_community_is_told(counter: Counter) -> None:
    (told,) = counter.requests(service_request_id=fresh_id(3))
    assert (told["address"], told["address_id"]) == ("西桥社区, 试验街道", str(B))


# ---- what is not told


def test_nobodys_words_and_no_finer_place_leave_the_house(counter: Counter) -> None:
    stairwells = {town.stairwell_code(A), town.stairwell_code(B, compound=2, building=2, number=3)}
    for form in ("json", "xml"):
        for parameters in ({"extensions": "true"}, IN_2020 | {"extensions": "true"}):
            text = counter.client.get(f"{BASE}/requests.{form}", params=parameters).text
            assert "张先生" not in text
            assert "13812345678" not in text
            assert "件" not in text.replace("事件", "")  # of the summaries 第0件, 第1件 …
            assert not [code for code in stairwells if code in text]
            for place in (town.IN_STAIRWELL, town.IN_LAST_STAIRWELL, town.IN_COMPOUND):
                lon, lat = town.place(A, *place)
                assert f"{lat}" not in text or f"{lon}" not in text


@pytest.mark.parametrize("number", [4, 5])
def test_what_is_private_or_outside_is_answered_as_what_is_not_there(
    counter: Counter, number: int
) -> None:
    hidden, absent = fresh_id(number), "00000000-0000-7000-8000-000000000000"
    for path in ("requests", "tokens"):
        told = counter.errors(f"{path}/{hidden}", 404)
        assert told == counter.errors(f"{path}/{absent}", 404)
        assert told == counter.errors(f"{path}/x", 404) == ["No service request of this id."]
    assert counter.requests(service_request_id=hidden) == []


def test_no_answer_counts_what_it_does_not_show(counter: Counter) -> None:
    """A total, or a number that goes up, would tell how many are private."""
    answer = counter.client.get(f"{BASE}/requests.json")
    assert not [name for name in answer.headers if "total" in name or "count" in name]
    some = counter.requests(page_size="1", **IN_2020)
    assert len(some) == 1


def test_every_caller_is_told_the_same(served_town: Service, counter: Counter) -> None:
    """Signed in or not, of this territory or another: here all are the public."""
    paths = ("requests.json", "services.xml", f"requests/{fresh_id(0)}.json")
    for path in paths:
        texts = {
            client.get(f"{BASE}/{path}", params={"jurisdiction_id": STREET}).content
            for client in (
                counter.client,
                served_town.caller("resident", A),
                served_town.caller("coordinator", B),
                served_town.caller("planner", STREET),
                served_town.caller("administrator", neighbour.HARBOUR),
            )
        }
        assert len(texts) == 1


def test_names_with_markup_and_control_characters_are_only_text(counter: Counter) -> None:
    address = f"{HOSTILE}, 西桥社区, 试验街道"
    (told,) = counter.requests(service_request_id=fresh_id(2))
    assert told["address"] == address
    answer = counter.client.get(f"{BASE}/requests/{fresh_id(2)}.xml")
    assert "<script" not in answer.text
    root = ElementTree.fromstring(answer.content)  # noqa: S314 - our own
    assert root.findtext("request/address") == address.replace("\x0b", "").replace("\x1f", "")


# ---- what is no question


@pytest.mark.parametrize(
    ("parameters", "word"),
    [
        ({"status": "pending"}, "status"),
        ({"start_date": "yesterday"}, "start_date"),
        ({"start_date": "2020-05-01T00:00:00"}, "zone"),
        ({"start_date": "2020-13-01"}, "start_date"),
        ({"end_date": "99999-01-01T00:00:00Z"}, "end_date"),
        ({"start_date": "9999-12-31T00:00:00Z"}, "range"),
        ({"end_date": "0001-01-01T00:00:00Z"}, "range"),
        ({"start_date": "2020-01-01", "end_date": "2020-07-01"}, "90 days"),
        ({"start_date": "2020-07-01", "end_date": "2020-05-01"}, "in order"),
        ({"page": "0"}, "page"),
        ({"page": "-1"}, "page"),
        ({"page": "1e3"}, "page"),
        ({"page": "٣"}, "page"),
        ({"page": "9" * 30}, "page"),
        ({"page": "101"}, "paged through"),
        ({"page_size": "many"}, "page_size"),
        ({"bbox": "1,2,3"}, "bbox"),
        ({"bbox": "1,2,3,x"}, "bbox"),
        ({"bbox": "113,23,112,24"}, "bbox"),
        ({"bbox": "nan,0,1,1"}, "bbox"),
        ({"bbox": "-inf,0,inf,1"}, "bbox"),
        ({"bbox": "23,113,24,114"}, "bbox"),
        ({"service_request_id": ",".join(["x"] * 1001)}, "1000"),
        ({"lang": "fr"}, "lang"),
    ],
)
def test_what_is_no_question_is_named(
    counter: Counter, parameters: dict[str, str], word: str
) -> None:
    (sentence,) = counter.errors("requests", 400, **parameters)
    assert word in sentence
    assert not [value for value in parameters.values() if len(value) > 8 and value in sentence]


def test_all_that_is_wrong_is_told_at_once(counter: Counter) -> None:
    sentences = counter.errors("requests", 400, status="?", page="x", bbox="y", start_date="z")
    assert len(sentences) == 4


@pytest.mark.parametrize(
    ("path", "status", "form"),
    [
        ("requests.csv", 400, "xml"),
        ("services.JSON", 400, "xml"),
        ("services", 404, "xml"),
        ("nothing.json", 404, "json"),
        ("services/ghosts.json", 404, "json"),
        ("services/neighbour_dispute-noise.xml", 404, "xml"),
        ("services/sanitation.rubbish.json", 404, "json"),
        ("requests/%00.json", 404, "json"),
        ("requests/" + "9" * 3000 + ".xml", 404, "xml"),
        ("requests.json?jurisdiction_id=sfgov.org", 404, "json"),
        ("services.xml?jurisdiction_id=440605011001", 404, "xml"),
        ("requests.xml?" + "x" * 9000, 414, "xml"),
    ],
)
def test_what_is_not_there_is_said_in_the_form_asked_for(
    counter: Counter, path: str, status: int, form: str
) -> None:
    answer = counter.client.get(f"{BASE}/{path}", headers={"Accept": "text/html"})
    checked(answer, f"x.{form}", "Errors", status)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(counter: Counter, method: str) -> None:
    answer = counter.client.request(method, f"{BASE}/requests.json")
    checked(answer, "x.json", "Errors", 405)


def test_of_two_sub_districts_one_must_be_named(own_service: Service) -> None:
    own_service.clone.run(f"INSERT INTO gridsvc.street VALUES ({neighbour.STREET}, '邻街')")  # noqa: S608
    counter = Counter(own_service)
    assert counter.errors("services", 400) == ["jurisdiction_id was not provided."]
    assert counter.get("services.json", "Services", jurisdiction_id=STREET)
    own, other = (
        counter.requests(**IN_2020, jurisdiction_id=code) for code in (STREET, neighbour.STREET)
    )
    assert (len(own), len(other)) == (THE_2020S, 0)
    assert str(neighbour.STREET) in counter.get("discovery.json", "Discovery")["contact"]
