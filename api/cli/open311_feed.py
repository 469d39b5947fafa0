"""The requests of another Open311 server, asked for politely and within bounds.

A server answers at most 90 days and 1,000 requests at once. So time is cut into spans of 90 days;
where the server has pages, each span is read page by page, else a span that comes back full is
halved until its parts are not.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx2

from geodata.errors import UnreadableFileError
from geodata.open311 import read_feed, request_ids
from geodata.progress import Progress, silent

LONGEST = timedelta(days=90)
FULL = 1000
"""Requests of a full answer."""
MOST_BYTES = 20_000_000
_SHORTEST = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)
_WAIT_S = 30.0
_LONGEST_RETRY_S, _TRIES = 60.0, 3
_BUSY = {429, 503}
Span = tuple[datetime, datetime]


@dataclass
class FeedServer:
    """Another server, and what has been learnt of it.

    Attributes
    ----------
    root
        Address of its API, such as ``https://city.example/open311/v2``.
    pause_s
        Between two questions.
    most_questions
        After so many the reading ends in an error.
    """

    root: str
    form: Literal["xml", "json"] = "xml"
    jurisdiction: str | None = None
    pause_s: float = 1.0
    most_questions: int = 1000
    sleep: Callable[[float], None] = time.sleep
    _asked: int = field(default=0, init=False)
    _has_pages: bool = field(default=True, init=False)
    _seen: set[str] = field(default_factory=set, init=False)

    @property
    def name(self) -> str:
        """What to call it in sentences and file names."""
        return urlsplit(self.root).hostname or "feed"

    def read(self, since: datetime, until: datetime, progress: Progress | None = None) -> list[Any]:
        """Return every request from one moment to another, each once.

        Raises
        ------
        UnreadableFileError
            The server cannot be reached, refuses, answers no feed, or far too much of it.
        """
        report = progress or silent
        open_spans, found, done_days = _cut(since, until), [], 0
        days = max(1, (until - since).days)
        # A redirect could lead anywhere, and no environment's proxy is meant.
        with httpx2.Client(follow_redirects=False, timeout=_WAIT_S, trust_env=False) as client:
            while open_spans:
                span = open_spans.pop()
                requests = self._read_span(client, span)
                if requests is None:
                    open_spans += _halves(span)
                    continue
                found += requests
                done_days += max(1, (span[1] - span[0]).days)
                report("feed", min(done_days, days), days)
        return found

    def _read_span(self, client: httpx2.Client, span: Span) -> list[Any] | None:
        """Return the requests of a span; None where there are more than the server tells."""
        answered = more = self._ask(client, span, 1)
        found, page = self._new(answered), 1
        while self._has_pages and more:
            page += 1
            more = self._ask(client, span, page)
            new = self._new(more)
            if more and not request_ids(new):  # what came before: pages mean nothing here
                self._has_pages = False
            else:
                found += new
        if self._has_pages or len(answered) < FULL:
            return found
        if span[1] - span[0] < _SHORTEST:
            raise self._fault(f"has {FULL} requests or more within a minute, and no pages.")
        self._seen -= request_ids(found)
        return None

    def _new(self, requests: list[Any]) -> list[Any]:
        """Return the requests that did not come before; what has no id cannot be known again."""
        new = [one for one in requests if not (ids := request_ids([one])) or not ids <= self._seen]
        self._seen |= request_ids(new)
        return new

    def _ask(self, client: httpx2.Client, span: Span, page: int) -> list[Any]:
        since, until = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in span)
        parameters: dict[str, str] = {"start_date": since, "end_date": until}
        if self._has_pages:
            parameters |= {"page": str(page), "page_size": str(FULL)}
        if self.jurisdiction:
            parameters["jurisdiction_id"] = self.jurisdiction
        address = f"{self.root.rstrip('/')}/requests.{self.form}"
        status, wait_s, content = self._answer(client, address, parameters)
        for _ in range(_TRIES - 1):
            if status not in _BUSY or wait_s is None:
                break
            self.sleep(wait_s)
            status, wait_s, content = self._answer(client, address, parameters)
        if status != httpx2.codes.OK:
            raise self._refusal(status, content)
        return read_feed(content, path=Path(self.name))

    def _answer(
        self, client: httpx2.Client, address: str, parameters: dict[str, str]
    ) -> tuple[int, float | None, bytes]:
        """Return status, how long to wait, and content, of which there is a bound."""
        if self._asked >= self.most_questions:
            raise self._fault(f"was asked {self._asked} times: ask for a shorter time.")
        if self._asked:
            self.sleep(self.pause_s)
        self._asked += 1
        try:
            with client.stream("GET", address, params=parameters) as answer:
                content = bytearray()
                for part in answer.iter_bytes():
                    content += part
                    if len(content) > MOST_BYTES:
                        raise self._fault(f"sends more than {MOST_BYTES:,} bytes at once.")
                wait = answer.headers.get("Retry-After", "")
                wait_s = min(float(wait), _LONGEST_RETRY_S) if wait.isdigit() else None
                return answer.status_code, wait_s, bytes(content)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise self._fault(f"cannot be read ({type(error).__name__}).") from error

    def _refusal(self, status: int, content: bytes) -> UnreadableFileError:
        """Return what the server says of itself, where it says it as the specification has it."""
        try:
            read_feed(content, path=Path(self.name))
        except UnreadableFileError as error:
            if "refused" in error.reason:
                return error
        return self._fault(f"answered {status} instead of requests.")

    def _fault(self, reason: str) -> UnreadableFileError:
        return UnreadableFileError(Path(self.name), reason)


def _cut(since: datetime, until: datetime) -> list[Span]:
    """Return spans of 90 days, the oldest last; no second is in two of them."""
    spans = []
    while since <= until:
        spans.append((since, min(since + LONGEST, until)))
        since += LONGEST + _SECOND
    return spans[::-1]


def _halves(span: Span) -> list[Span]:
    middle = (span[0] + (span[1] - span[0]) / 2).replace(microsecond=0)
    return [(middle + _SECOND, span[1]), (span[0], middle)]
