"""Feeds of other Open311 servers: real ones whole, and small ones with one quirk or fault each."""

from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pytest
import shapely

from geodata.errors import GeodataError, MappingError, UnreadableFileError
from geodata.incident_mapping import FeedMapping, load_feed_mapping
from geodata.incidents import IncidentTable
from geodata.open311 import read_feed, read_requests, request_ids

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = Path(__file__).parent / "fixtures"
REAL = ROOT.parent / "shared" / "data" / "open311"
FEED = Path("feed")

needs_real_files = pytest.mark.skipif(
    not REAL.is_dir(), reason="the feeds of ../shared/data/open311 are absent"
)
GOOD: dict[str, Any] = {
    "service_request_id": "7",
    "status": "open",
    "service_name": "rubbish",
    "service_code": "001",
    "requested_datetime": "2026-11-22T20:00:00+08:00",
    "updated_datetime": "2026-11-23T08:30:00+08:00",
    "lat": 23.03,
    "long": 113.15,
}


def mapping(**changes: Any) -> FeedMapping:
    rules: dict[str, Any] = {
        "source": "test",
        "placeholders": [[113, 23]],
        "categories": {"exact": {"rubbish": "sanitation", "001": "sanitation"}},
    }
    return FeedMapping.model_validate({**rules, **changes})


def read(document: Any, **changes: Any) -> IncidentTable:
    """Read a feed: JSON of an object, or the bytes as they are."""
    content = document if isinstance(document, bytes) else orjson.dumps(document)
    return read_requests(read_feed(content, path=FEED), mapping(**changes))


def xml(inner: str, *, root: str = "service_requests") -> bytes:
    return f'<?xml version="1.0" encoding="utf-8"?><{root}>{inner}</{root}>'.encode()


def element(fields: dict[str, Any], *, name: str = "request") -> str:
    inner = "".join(f"<{field}>{value}</{field}>" for field, value in fields.items())
    return f"<{name}>{inner}</{name}>"


# ---- real feeds


def baltimore(form: str) -> IncidentTable:
    path = REAL / f"baltimore_requests.{form}"
    rules = load_feed_mapping(FIXTURES / "baltimore_open311.yaml")
    return read_requests(read_feed(path.read_bytes(), path=path), rules)


@needs_real_files
@pytest.mark.parametrize("form", ["json", "xml"])
def test_baltimores_requests_are_read_whole_and_every_row_is_accounted_for(form: str) -> None:
    raw = orjson.loads((REAL / "baltimore_requests.json").read_bytes())
    table = baltimore(form)
    assert table.row_count == len(raw) == 400
    assert len(table.incidents) + len(table.rejects) == 400
    wanting = {
        item["service_request_id"]: "no-coordinates" if item["lat"] is None else "placeholder"
        for item in raw
        if item["lat"] is None or (item["lat"], item["long"]) == (39.0, -77.0)
    }
    assert len(wanting) > 10
    told = dict(zip(table.rejects["source_id"], table.rejects["reason"], strict=True))
    assert told == wanting
    kept = {
        item["service_request_id"]: item
        for item in raw
        if item["service_request_id"] in set(table.incidents["source_id"])
    }
    for row in table.incidents.to_dict("records"):
        item = kept[row["source_id"]]
        assert row["reported_at"] == pd.Timestamp(item["requested_datetime"]).tz_convert("UTC")
        assert (row["status"] == "closed") == (item["status"] == "closed")
        assert row["summary"] == item["service_name"]
        assert row["geometry"].equals(shapely.Point(item["long"], item["lat"]))


@needs_real_files
def test_xml_and_json_of_one_feed_are_the_same_incidents() -> None:
    pd.testing.assert_frame_equal(baltimore("json").incidents, baltimore("xml").incidents)
    told = ["row", "source_id", "reason"]
    pd.testing.assert_frame_equal(baltimore("json").rejects[told], baltimore("xml").rejects[told])


@needs_real_files
@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize(("name", "count"), [("service_requests", 2), ("service_request", 1)])
def test_the_specifications_examples_are_read(name: str, count: int, form: str) -> None:
    path = REAL / f"spec_get_{name}.{form}"
    rules = mapping(categories={"default": "public_facility"})
    table = read_requests(read_feed(path.read_bytes(), path=path), rules)
    assert table.rejects.empty
    assert table.incidents["source_id"].tolist() == ["638344", "638349"][:count]
    assert table.incidents["status"].tolist() == ["closed", "reported"][:count]


# ---- quirks


@pytest.mark.parametrize(
    "document",
    [
        [GOOD],
        GOOD,
        {"service_requests": [GOOD]},
        {"requests": [GOOD]},
        {"service_requests": {"request": [GOOD]}},
        {"service_requests": {"request": GOOD}},
        {"service_requests": [{"request": GOOD}]},
        [{"service_request": GOOD}],
        [GOOD | {"service_request_id": 7, "service_code": 1, "lat": "23.03", "long": " 113.15 "}],
        [GOOD | {"service_request_id": 7.0}],
        [GOOD | {"description": None, "agency_responsible": {"recipient": ["x"]}, "notes": [1]}],
        [{name: value for name, value in GOOD.items() if name != "updated_datetime"}],
        [{"lng" if name == "long" else name: value for name, value in GOOD.items()}],
        [GOOD | {"status": "Open"}],
        [GOOD | {"requested_datetime": "2026-11-22T12:00:00Z"}],
        [GOOD | {"requested_datetime": "2026-11-22T12:00:00.000Z"}],
        b"\xef\xbb\xbf" + orjson.dumps([GOOD]),
        xml(element(GOOD)),
        xml(element(GOOD), root="requests"),
        b"\n" + xml(element(GOOD)).removeprefix(b'<?xml version="1.0" encoding="utf-8"?>'),
        xml(element(GOOD | {"notes": "<note><status>closed</status></note>"})),
        xml(element({f"o:{name}": value for name, value in GOOD.items()}, name="o:request")),
        f'<?xml version="1.0" encoding="utf-16"?><requests>{element(GOOD)}</requests>'.encode(
            "utf-16"
        ),
    ],
)
def test_a_quirk_of_the_server_does_not_hide_a_request(document: Any) -> None:
    table = read(document)
    assert table.rejects.empty
    (incident,) = table.incidents.to_dict("records")
    assert (incident["source_id"], incident["category_code"]) == ("7", "sanitation")
    assert incident["status"] == "reported"
    assert incident["closed_at"] is pd.NaT
    assert incident["reported_at"] == pd.Timestamp("2026-11-22T12:00:00Z")
    assert incident["geometry"].equals(shapely.Point(113.15, 23.03))


def test_a_closed_request_was_closed_when_it_was_last_updated() -> None:
    known, unknown = read(
        [
            GOOD | {"status": "closed"},
            GOOD | {"service_request_id": "8", "status": "closed", "updated_datetime": None},
        ]
    ).incidents.to_dict("records")
    assert (known["status"], known["closed_at"]) == ("closed", pd.Timestamp("2026-11-23T00:30Z"))
    assert (unknown["status"], unknown["closed_at"]) == ("closed", pd.NaT)


def test_closed_a_second_before_it_was_reported_is_closed_at_once() -> None:
    moment = {"status": "closed", "updated_datetime": "2026-11-22T19:59:59+08:00"}
    (incident,) = read([GOOD | moment]).incidents.to_dict("records")
    assert incident["closed_at"] == incident["reported_at"] == pd.Timestamp("2026-11-22T12:00Z")


def test_times_without_an_offset_are_of_the_declared_clock() -> None:
    rules = {"time": {"format": "ISO8601", "timezone": "America/New_York"}}
    table = read([GOOD | {"requested_datetime": "2026-11-22T07:00:00"}], **rules)
    assert table.incidents["reported_at"].tolist() == [pd.Timestamp("2026-11-22T12:00:00Z")]


def test_the_kind_can_be_told_by_the_code_and_the_name_is_shown() -> None:
    table = read([GOOD | {"service_name": "Cans left out"}], by="service_code")
    assert table.incidents["category_code"].tolist() == ["sanitation"]
    assert table.incidents["summary"].tolist() == ["Cans left out"]
    nameless = read([GOOD | {"service_name": None}], by="service_code")
    assert nameless.incidents["summary"].tolist() == ["001"]


def test_no_description_address_or_photo_gets_in() -> None:
    words = {
        "description": "张三 13812345678",
        "address": "翠颐 12栋 138",
        "media_url": "http://138",
    }
    table = read([GOOD | words])
    assert "138" not in table.incidents.drop(columns="id").to_csv()


def test_the_same_request_has_the_same_id_in_every_form() -> None:
    first = read([GOOD]).incidents["id"].tolist()
    assert first == read(xml(element(GOOD))).incidents["id"].tolist()
    assert first != read([GOOD], source="another").incidents["id"].tolist()


# ---- rejects


@pytest.mark.parametrize(
    ("change", "reason", "word"),
    [
        ({"service_request_id": None}, "no-id", "empty"),
        ({"lat": None, "long": None}, "no-coordinates", "no position"),
        ({"lat": "", "long": ""}, "no-coordinates", "no position"),
        ({"lat": [23.03]}, "no-coordinates", "no position"),
        ({"lat": "north"}, "unparsable-coordinate", "north"),
        ({"lat": 23, "long": 113.0}, "placeholder", "unknown"),
        ({"lat": 0, "long": 0}, "placeholder", "unknown"),
        ({"lat": 123.0}, "out-of-range", "Earth"),
        ({"service_name": "ghosts"}, "unknown-category", "ghosts"),
        ({"service_name": None}, "unknown-category", "''"),
        ({"requested_datetime": None}, "unparsable-date", "''"),
        ({"requested_datetime": "2026-11-22T20:00:00"}, "unparsable-date", "ISO8601"),
        ({"status": None}, "unknown-status", "neither open nor closed"),
        ({"status": "archived"}, "unknown-status", "archived"),
        (
            {"status": "closed", "updated_datetime": "2026-11-21T00:00:00Z"},
            "closed-before-reported",
            "before",
        ),
    ],
)
def test_a_fault_is_named_and_the_next_request_is_read(
    change: dict[str, Any], reason: str, word: str
) -> None:
    table = read([GOOD | change, GOOD | {"service_request_id": "9"}])
    assert table.incidents["source_id"].tolist() == ["9"]
    (reject,) = table.rejects.to_dict("records")
    assert (reject["row"], reject["reason"]) == (1, reason)
    assert word in reject["sentence"]


def test_what_is_no_request_keeps_its_place_in_the_account() -> None:
    table = read(["words", GOOD, None, 7, [GOOD], GOOD])
    assert table.row_count == 6
    assert table.incidents["source_id"].tolist() == ["7"]
    assert table.rejects["row"].tolist() == [1, 3, 4, 5, 6]
    assert table.rejects["reason"].tolist() == ["no-request"] * 4 + ["duplicate-id"]
    assert read(xml(f"<request>words</request>{element(GOOD)}")).rejects["reason"].tolist() == [
        "no-request"
    ]


def test_ids_are_told_apart_for_paging() -> None:
    assert request_ids([GOOD, {"service_request_id": 8}, {"service_request_id": None}, "x"]) == {
        *("7", "8")
    }


# ---- what is no feed


BOMB = "<!DOCTYPE x [" + "".join(
    f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(12)
)


USES_IT = b"<service_requests><request><status>&f;</status></request></service_requests>"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>", "web page"),
        (b"<html><head></head></html>", "web page"),
        (b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>', "web page"),
        (b'<?xml version="1.0"?><!DOCTYPE html><html/>', "document type"),
        (BOMB.encode() + b"]><service_requests>&e11;</service_requests>", "document type"),
        (
            b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
            + USES_IT,
            "document type",
        ),
        (b'<?xml version="1.0"?><service_requests><request></service_requests>', "mismatched"),
        (b'<?xml version="1.0"?><service_requests>&nbsp;</service_requests>', "undefined entity"),
        (b'<?xml version="1.0" encoding="klingon"?><service_requests/>', "not XML"),
        (b'<?xml version="1.0"?><services><service/></services>', "'services'"),
        (b'<?xml version="1.0"?>' + b"<request>" * 50 + b"</request>" * 50, "deeper"),
        (
            xml("<error><code>403</code><description>Bad key</description></error>", root="errors"),
            "403 Bad key",
        ),
        (b'[{"code": 403, "description": "Bad key"}]', "403 Bad key"),
        (b'{"errors": [{"code": 404, "description": "Nothing"}]}', "404 Nothing"),
        (b"{", "neither XML nor JSON"),
        (b"[NaN]", "neither XML nor JSON"),
        (b'["\xff"]', "neither XML nor JSON"),
        (b"[" * 100_000, "neither XML nor JSON"),
        (b'"words"', "no list"),
        (b'{"hello": "world"}', "no list"),
        (b"[]", "no requests"),
        (b'{"service_requests": null}', "no requests"),
        (b"<service_requests/>", "no requests"),
        (b"\x89PNG\r\n", "picture"),
        (b"id,lat,long\n1,2,3\n", "neither XML nor JSON"),
        (b"\x00\x01\x02", "not text"),
    ],
)
def test_what_is_no_feed_is_one_sentence(content: bytes, word: str) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        read_requests(read_feed(content, path=FEED), mapping())
    assert word in str(caught.value)
    assert "passwd:" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_the_mapping_is_held_to_its_rules(tmp_path: Path) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text("source: x\nby: title\ncategories: {}\n", encoding="utf-8")
    with pytest.raises(MappingError, match="by"):
        load_feed_mapping(path)
    path.write_text("source: x\ncategories: {exact: {a: ghosts}}\n", encoding="utf-8")
    with pytest.raises(GeodataError, match="ghosts"):
        load_feed_mapping(path)


def test_the_documented_mapping_is_one() -> None:
    documented = load_feed_mapping(ROOT / "docs" / "mappings" / "open311.yaml")
    assert documented.by == "service_name"
    assert documented.categories.code_of("Parking on grass") == "parking"
