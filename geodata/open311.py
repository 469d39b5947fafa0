"""Requests of another Open311 server: its XML or JSON as rows, and the rows as incidents.

Servers differ from the specification and from each other: lists wrapped in objects, one request
without its list, nulls, numbers for texts, fields left out. What can be understood is read; of
everything else the reason is told. Descriptions, addresses and photos are never read.

References
----------
GeoReport v2, "GET Service Requests", https://wiki.open311.org/GeoReport_v2/
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.parsers import expat

import numpy as np
import orjson
from pandas import DataFrame

from geodata.errors import UnreadableFileError
from geodata.foreign_text import other_kind
from geodata.incident_files import NO_VALUE_WORDS
from geodata.incident_mapping import FeedMapping
from geodata.incidents import IncidentTable, check_rows, no_faults, note_fault
from geodata.progress import Progress

Request = Mapping[str, Any]

_ID = "service_request_id"
_LISTS = ("service_requests", "requests", "servicerequests")
_ONE = ("request", "service_request")
_ERRORS = ("errors", "error")
# As servers in use call them; the specification's name comes first.
_LON, _LAT = ("long", "lon", "lng"), ("lat",)
_STATUSES = ("open", "closed")
_CLOCKS_APART = timedelta(minutes=1)
_DEEPEST_ELEMENT = 20
_IS_HTML = re.compile(rb"<!doctype\s+html\b", re.IGNORECASE)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_LONGEST_ANSWER = 200


def read_feed(content: bytes, *, path: Path) -> list[Any]:
    """Return the requests of a document, as the server wrote them.

    Parameters
    ----------
    content
        XML or JSON, which is seen from how it begins.
    path
        What to call it in the sentences of errors.

    Returns
    -------
    list
        Mappings by field, values as they stand there; what is no request stays in its place.

    Raises
    ------
    UnreadableFileError
        It is a web page, an answer that reports an error, damaged, or declares entities.
    """
    start = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise UnreadableFileError(path, "is empty.")
    if start.startswith(b"<?xml") or content.startswith(_UTF16):
        return _read_xml(content, path)
    kind = other_kind(start)
    if start[:9].lower() == b"<!doctype" and not _IS_HTML.match(start):
        kind = None  # a document type of XML, which is refused by its own reason
    if kind is not None or b"\0" in start:
        raise UnreadableFileError(path, f"is {kind or 'not text'}: an Open311 feed is XML or JSON.")
    return _read_xml(content, path) if start.startswith(b"<") else _read_json(content, path)


def read_requests(
    requests: Sequence[Any], mapping: FeedMapping, *, progress: Progress | None = None
) -> IncidentTable:
    """Make incidents of requests.

    Reasons are those of `geodata.incidents`, and before them ``no-request`` (not a set of
    fields) and ``unknown-status`` (neither open nor closed). A closed request was closed when it
    was last updated, as the specification says.

    Parameters
    ----------
    requests
        As `read_feed` returns them, of one document or several. Positions are in the CRS of the
        mapping, by default EPSG:4326.

    Returns
    -------
    IncidentTable
        Incidents and rejects, together as many as there are requests; ``row`` counts from 1.

    Raises
    ------
    UnreadableFileError
        There are none.
    """
    if not requests:
        raise UnreadableFileError(mapping.path, "the feed holds no requests: nothing to import.")
    rows = DataFrame([_row_of(request, mapping) for request in requests], dtype="str")
    faults = no_faults(rows)
    is_request = np.array([isinstance(request, Mapping) for request in requests])
    note_fault(faults, ~is_request, "no-request", "it is not a set of fields", rows["id"])
    is_known = rows["status"].isin({*_STATUSES, *mapping.closed_statuses})
    sentence = "the status {} is neither open nor closed"
    note_fault(faults, ~is_known, "unknown-status", sentence, rows["status"])
    return check_rows(rows, mapping, faults=faults, progress=progress)


def request_ids(requests: Sequence[Any]) -> set[str]:
    """Return the ids of requests; what has none is left out."""
    found = {_text(request.get(_ID)) for request in requests if isinstance(request, Mapping)}
    return found - {""}


def _row_of(request: Any, mapping: FeedMapping) -> dict[str, str]:
    fields = request if isinstance(request, Mapping) else {}
    status = _text(fields.get("status")).casefold()
    category = _text(fields.get(mapping.by))
    reported_at = _text(fields.get("requested_datetime"))
    closed_at = _text(fields.get("updated_datetime")) if status in mapping.closed_statuses else ""
    return {
        "id": _text(fields.get(_ID)),
        "lon": _first(fields, _LON),
        "lat": _first(fields, _LAT),
        "reported_at": reported_at,
        "closed_at": reported_at if _is_just_before(closed_at, reported_at) else closed_at,
        "status": status,
        "category": category,
        "summary": _text(fields.get("service_name")) or category,
    }


def _is_just_before(closed_at: str, reported_at: str) -> bool:
    """Tell whether a request was closed at once, by a server whose two clocks differ a little."""
    try:
        apart = datetime.fromisoformat(reported_at) - datetime.fromisoformat(closed_at)
    except (ValueError, TypeError):  # no times, or only one of them with an offset
        return False
    return timedelta(0) < apart < _CLOCKS_APART


def _first(fields: Request, names: Sequence[str]) -> str:
    return next((text for name in names if (text := _text(fields.get(name)))), "")


def _text(value: Any) -> str:
    """Return a value as text; what stands for none, and what is no single value, as no text."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return ""
    text = str(value).strip()
    return "" if text.casefold() in NO_VALUE_WORDS else text


# ---- JSON


def _read_json(content: bytes, path: Path) -> list[Any]:
    try:
        document = orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        reason = f"is neither XML nor JSON that can be read ({error})."
        raise UnreadableFileError(path, reason) from error
    found = _requests_in(document)
    if found is None:
        raise UnreadableFileError(path, "holds no list of service requests.")
    _refuse_errors(found, path)
    return found


def _requests_in(document: Any) -> list[Any] | None:
    """Return the requests of a JSON document, whatever they are wrapped in."""
    if isinstance(document, list):
        return [_unwrapped(item) for item in document]
    if not isinstance(document, dict):
        return None
    by_name = {str(name).casefold(): value for name, value in document.items()}
    for name in (*_LISTS, *_ERRORS, *_ONE):
        inner = by_name.get(name)
        if isinstance(inner, list | dict):
            return _requests_in(inner)
        if name in by_name:  # an empty list, as some converters from XML write it
            return []
    return [document] if {_ID, "service_code", "code"} & by_name.keys() else None


def _unwrapped(item: Any) -> Any:
    """Return what an item holds, where it is only a wrapper of its kind."""
    if isinstance(item, dict) and len(item) == 1:
        name, inner = next(iter(item.items()))
        if str(name).casefold() in (*_ONE, "error") and isinstance(inner, dict):
            return inner
    return item


def _refuse_errors(found: Sequence[Any], path: Path) -> None:
    """Refuse an answer that reports errors instead of requests."""
    first = found[0] if found else None
    if isinstance(first, Mapping) and "code" in first and "description" in first and len(first) < 4:
        said = f"{_text(first['code'])} {_text(first['description'])}"[:_LONGEST_ANSWER]
        raise UnreadableFileError(path, f"is the answer of a server that refused: {said}.")


# ---- XML


class _Reader:
    """Collects the fields of each ``request`` element; entities and types are refused."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names: list[str] = []
        self._texts: list[str] = []
        self._fields: dict[str, str] | None = None
        self._depth_of_request = 0
        self.root = ""
        self.found: list[Any] = []

    def parse(self, content: bytes) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._texts.append
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        try:
            parser.Parse(content, True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            reason = f"is not XML that can be read ({error})."
            raise UnreadableFileError(self._path, reason) from error

    def _refuse(self, *_: object) -> None:
        reason = "declares a document type or entities, which an Open311 feed has not."
        raise UnreadableFileError(self._path, reason)

    def _start(self, name: str, _: dict[str, str]) -> None:
        plain = name.rpartition(":")[2].casefold()
        self._names.append(plain)
        self._texts.clear()
        self.root = self.root or plain
        if self.root == "html":
            raise UnreadableFileError(self._path, "is a web page: an Open311 feed is XML or JSON.")
        if len(self._names) > _DEEPEST_ELEMENT:
            reason = f"has elements nested deeper than {_DEEPEST_ELEMENT}."
            raise UnreadableFileError(self._path, reason)
        if self._fields is None and plain in (*_ONE, "error"):
            self._fields = {}
            self._depth_of_request = len(self._names)

    def _end(self, _: str) -> None:
        name, depth = self._names.pop(), len(self._names)
        text = "".join(self._texts)
        self._texts.clear()
        if self._fields is None:
            return
        if depth == self._depth_of_request:
            self._fields.setdefault(name, text)
        elif depth < self._depth_of_request:
            # An element that holds words instead of fields is no request.
            self.found.append(self._fields or text)
            self._fields = None


def _read_xml(content: bytes, path: Path) -> list[Any]:
    reader = _Reader(path)
    reader.parse(content)
    if reader.root not in (*_LISTS, *_ONE, *_ERRORS):
        name = re.sub(r"\W", "", reader.root)[:40]
        raise UnreadableFileError(path, f"holds no service requests: its root is {name!r}.")
    _refuse_errors(reader.found, path)
    return reader.found
