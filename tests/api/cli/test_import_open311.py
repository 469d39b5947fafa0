"""Requests of other servers, from files and from a server on this machine; every row is told."""

import csv
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pandas as pd
import pytest

from api.cli import open311_feed
from api.cli.open311_feed import FeedServer
from geodata.errors import UnreadableFileError
from gridsvc import setup
from tests import town
from tests.api.cli.commands import DATA, ROOT, figure
from tests.api.cli.conftest import GridHere
from tests.api.conftest import served
from tests.api.service import serving
from tests.databases import Clone

FIXTURES = ROOT / "tests" / "geodata" / "fixtures"
MAPPING = FIXTURES / "baltimore_open311.yaml"
FIRST, LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 12, 31, tzinfo=UTC)
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent")

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Origin:
    """A server of somebody else's, and what it was asked."""

    address: str
    asked: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def answering(answer: Callable[[dict[str, str]], Answer]) -> Iterator[Origin]:
    """Answer each request for requests on a free port of this machine."""
    origin = Origin("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            asked = {name: values[-1] for name, values in query.items()}
            origin.asked.append(asked | {"path": urlsplit(self.path).path})
            status, headers, body = answer(asked)
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    origin.address = f"http://127.0.0.1:{server.server_address[1]}/open311/v2"
    try:
        yield origin
    finally:
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()


def requests_of(moments: list[datetime]) -> list[dict[str, Any]]:
    return [
        {
            "service_request_id": f"r{number}",
            "status": "open",
            "service_name": "SW-Trash",
            "requested_datetime": moment.isoformat(),
            "lat": 23.03,
            "long": 113.15,
        }
        for number, moment in enumerate(moments)
    ]


YEAR = requests_of([FIRST + timedelta(hours=3 * number) for number in range(2920)])


def told(requests: list[dict[str, Any]], *, most: int, has_pages: bool) -> Callable[..., Answer]:
    """Return what a server answers that has these requests, as many at once as it likes."""

    def answer(asked: dict[str, str]) -> Answer:
        since, until = (datetime.fromisoformat(asked[f"{end}_date"]) for end in ("start", "end"))
        assert timedelta(0) <= until - since <= timedelta(days=90)
        found = [
            one
            for one in requests
            if since <= datetime.fromisoformat(one["requested_datetime"]) <= until
        ]
        page = int(asked.get("page", "1")) if has_pages else 1
        return 200, {}, orjson.dumps(found[(page - 1) * most : page * most])

    return answer


def reader(origin: Origin, **more: Any) -> FeedServer:
    return FeedServer(origin.address, "json", pause_s=0, **more)


# ---- a server on this machine


@pytest.mark.parametrize(
    ("most", "has_pages"), [(1000, True), (50, True), (1000, False)], ids=["full", "50", "pageless"]
)
def test_a_year_is_read_whole_from_every_kind_of_server(most: int, has_pages: bool) -> None:
    with answering(told(YEAR, most=most, has_pages=has_pages)) as origin:
        found = reader(origin).read(FIRST, LAST)
    assert [one["service_request_id"] for one in found] == [
        one["service_request_id"] for one in YEAR if one in found
    ]
    assert len(found) == sum(datetime.fromisoformat(o["requested_datetime"]) <= LAST for o in YEAR)


def test_a_full_span_without_pages_is_halved_until_nothing_is_missing() -> None:
    crowd = requests_of([FIRST + timedelta(minutes=number) for number in range(5000)])
    with answering(told(crowd, most=1000, has_pages=False)) as origin:
        found = reader(origin).read(FIRST, FIRST + timedelta(days=10))
        assert len(origin.asked) > 5
    assert sorted(one["service_request_id"] for one in found) == sorted(
        f"r{n}" for n in range(5000)
    )


def test_more_than_can_be_told_within_a_minute_is_an_error_not_a_loss() -> None:
    crowd = requests_of([FIRST] * 1500)
    with (
        answering(told(crowd, most=1000, has_pages=False)) as origin,
        pytest.raises(UnreadableFileError, match="within a minute"),
    ):
        reader(origin).read(FIRST, FIRST + timedelta(days=1))


def test_a_server_is_given_time_between_questions_and_asked_so_often_at_most() -> None:
    waits: list[float] = []
    with answering(told(YEAR, most=1000, has_pages=True)) as origin:
        server = FeedServer(origin.address, "json", pause_s=1.5, sleep=waits.append)
        server.read(FIRST, LAST)
        assert waits == [1.5] * (len(origin.asked) - 1)
    with (
        answering(told(YEAR, most=10, has_pages=True)) as origin,
        pytest.raises(UnreadableFileError, match="asked 7 times"),
    ):
        reader(origin, most_questions=7).read(FIRST, LAST)
    assert len(origin.asked) == 7


def test_a_busy_server_is_asked_again_when_it_says() -> None:
    waits: list[float] = []
    answers = iter([(429, {"Retry-After": "9"}, b""), (503, {"Retry-After": "9999"}, b"")])

    def busy(_: dict[str, str]) -> Answer:
        return next(answers, (200, {}, b"[]"))

    with answering(busy) as origin:
        server = FeedServer(origin.address, "json", pause_s=0, sleep=waits.append)
        assert server.read(FIRST, FIRST) == []
    assert [wait for wait in waits if wait] == [9, 60]


def test_the_jurisdiction_and_whole_seconds_are_sent() -> None:
    with answering(lambda _: (200, {}, b"<service_requests/>")) as origin:
        FeedServer(origin.address + "/", jurisdiction="city.gov").read(FIRST, FIRST)
    assert origin.asked == [
        {
            "path": "/open311/v2/requests.xml",
            "start_date": "2020-01-01T00:00:00Z",
            "end_date": "2020-01-01T00:00:00Z",
            "jurisdiction_id": "city.gov",
            "page": "1",
            "page_size": "1000",
        }
    ]


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ((500, {}, b""), "answered 500"),
        ((404, {}, b"<html>nothing</html>"), "answered 404"),
        ((403, {}, b'[{"code":403,"description":"No key"}]'), "403 No key"),
        ((200, {}, b"<html>Sign in</html>"), "web page"),
        ((200, {}, b"<!DOCTYPE a [<!ENTITY b 'c'>]><requests>&b;</requests>"), "document type"),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), "answered 302"),
        ((429, {}, b""), "answered 429"),
    ],
)
def test_what_a_server_answers_instead_is_one_sentence(answer: Answer, word: str) -> None:
    with answering(lambda _: answer) as origin, pytest.raises(UnreadableFileError) as caught:
        reader(origin).read(FIRST, FIRST)
    assert str(caught.value).startswith("127.0.0.1: ")
    assert word in str(caught.value)


def test_an_endless_answer_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open311_feed, "MOST_BYTES", 1000)
    with (
        answering(lambda _: (200, {}, b"[" + b" " * 5000 + b"]")) as origin,
        pytest.raises(UnreadableFileError, match="more than 1,000 bytes"),
    ):
        reader(origin).read(FIRST, FIRST)


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(UnreadableFileError, match="cannot be read"):
        FeedServer("http://127.0.0.1:9/v2", pause_s=0).read(FIRST, FIRST)


# ---- the command


def addresses(clone: Clone) -> dict[str, str]:
    return {"DATABASE_URL": clone.url(setup.API), "GRID_JOB_URL": clone.url(setup.JOB)}


def imported(grid_here: GridHere, clone: Clone, *words: str) -> dict[str, int]:
    answer = grid_here("import", *words, "--street", str(town.STREET), **addresses(clone))
    assert answer.returncode == 0, answer.stderr
    labels = ("rows read", "incidents", "rejects", "loaded", "known already")
    return {label: int(figure(answer.stdout, label)) for label in labels}


def rejected(path: Path) -> dict[str, str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["source_id"]: row["reason"] for row in csv.DictReader(file)}


@pytest.mark.db
@needs_data
def test_baltimores_feed_is_imported_once_whatever_its_form(
    grid_here: GridHere, own_town: Clone, tmp_path: Path
) -> None:
    feeds = [DATA / "open311" / f"baltimore_requests.{form}" for form in ("json", "xml")]
    before = own_town.count("incident")
    raw = orjson.loads(feeds[0].read_bytes())
    wanting = {
        one["service_request_id"]: "no-coordinates" if one["lat"] is None else "placeholder"
        for one in raw
        if one["lat"] is None or (one["lat"], one["long"]) == (39.0, -77.0)
    }
    good = len(raw) - len(wanting)
    for number, feed in enumerate((*feeds, feeds[0])):
        target = tmp_path / f"{number}.csv"
        options = ("--categories", str(MAPPING), "--rejects", str(target))
        account = imported(grid_here, own_town, "open311", str(feed), *options)
        assert account["rows read"] == 400
        assert account["rows read"] == (
            account["loaded"] + account["known already"] + account["rejects"]
        )
        assert account["loaded"] == (0 if number else good)
        assert rejected(target) == wanting
        assert own_town.count("incident") == before + good


@pytest.mark.db
@needs_data
def test_of_baltimores_ten_thousand_requests_every_row_is_accounted_for(
    grid_here: GridHere, own_town: Clone, tmp_path: Path
) -> None:
    file, target = DATA / "incidents" / "baltimore_311.csv", tmp_path / "rejects.csv"
    before = own_town.count("incident")
    options = ("--mapping", str(FIXTURES / "baltimore.yaml"), "--rejects", str(target))
    account = imported(grid_here, own_town, "incidents", str(file), *options)
    raw = pd.read_csv(file, dtype="str", keep_default_na=False)
    wanting = dict.fromkeys(raw.loc[raw["Latitude"] == "", "SRRecordID"], "no-coordinates")
    is_placeholder = (raw["Latitude"] == "39") & (raw["Longitude"] == "-77")
    wanting |= dict.fromkeys(raw.loc[is_placeholder, "SRRecordID"], "placeholder")
    assert account["rows read"] == len(raw) == 10_000
    assert rejected(target) == wanting
    assert Counter(wanting.values()) == {"placeholder": 885, "no-coordinates": 590}
    assert account["loaded"] == own_town.count("incident") - before == 10_000 - 1_475
    again = imported(grid_here, own_town, "incidents", str(file), *options)
    assert (again["loaded"], again["known already"], again["rejects"]) == (0, 8_525, 1_475)


@pytest.mark.db
def test_our_own_server_can_be_read_by_our_own_importer(
    grid_here: GridHere, own_town: Clone, tmp_path: Path, town_database: Clone
) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(
        "source: next-town\nby: service_code\n"
        "categories: {prefix: {sanitation: sanitation, parking: parking, lift: lift}}\n",
        encoding="utf-8",
    )
    with serving(town_database) as service, served(service) as base_url:
        for form, expected in (("xml", 27), ("json", 0)):
            account = imported(
                grid_here,
                own_town,
                *("open311", f"{base_url}/open311/v2", "--categories", str(mapping)),
                *("--since", "2020-01-01", "--until", "2020-12-31", "--pause", "0"),
                *("--form", form, "--rejects", str(tmp_path / "rejects.csv")),
            )
            assert (account["rows read"], account["rejects"]) == (27, 0)
            assert account["loaded"] == expected


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("absent.json", "--categories", str(MAPPING)), "no such file"),
        ((str(MAPPING), "--categories", str(MAPPING)), "neither XML nor JSON"),
        ((str(MAPPING), "--categories", "absent.yaml"), "mapping cannot be read"),
        (
            ("http://127.0.0.1:9/v2", "--categories", str(MAPPING), "--since", "2020-01-01"),
            "cannot be read",
        ),
    ],
)
def test_a_wrong_feed_is_one_sentence(
    grid_here: GridHere, words: tuple[str, ...], sentence: str
) -> None:
    answer = grid_here("import", "open311", *words, "--street", str(town.STREET))
    assert answer.returncode == 1
    assert answer.stdout == ""
    last = answer.stderr.strip().splitlines()[-1]
    assert last.startswith("grid: ")
    assert sentence in last
    assert "Traceback" not in answer.stderr


def test_an_address_needs_a_first_day(grid_here: GridHere) -> None:
    words = ("http://127.0.0.1:9/v2", "--categories", str(MAPPING), "--street", "440605011000")
    answer = grid_here("import", "open311", *words)
    assert answer.returncode == 2
    assert "--since" in answer.stderr


def test_a_dry_run_writes_nothing(grid_here: GridHere, tmp_path: Path) -> None:
    feed = tmp_path / "feed.json"
    feed.write_bytes(orjson.dumps([*YEAR[:3], "words"]))
    answer = grid_here(
        *("import", "open311", str(feed), "--categories", str(MAPPING), "--dry-run"),
        *("--street", str(town.STREET)),
    )
    assert answer.returncode == 0, answer.stderr
    assert (figure(answer.stdout, "rows read"), figure(answer.stdout, "rejects")) == ("4", "1")
    assert figure(answer.stdout, "no-request") == "1"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["feed.json"]
