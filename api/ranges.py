"""Files sent whole or in part (RFC 9110, section 14), so that a download can go on."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from anyio import CancelScope
from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from api.errors import problem

_ONE_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.ASCII)
_PIECE_BYTES = 256 * 1024


def file_answer(
    request: Request, file: BinaryIO, *, size: int, etag: str, headers: dict[str, str]
) -> Response:
    """Return a file that never changes, or the part of it that is asked for.

    Several parts at once are not offered: such a request gets the whole.

    Parameters
    ----------
    file
        Closed by the answer.
    etag
        Strong: another one for every other content.
    headers
        ``Content-Type`` among them.
    """
    found = headers | {"ETag": etag, "Accept-Ranges": "bytes"}
    try:
        first, last = _wanted(request, size=size, etag=etag)
    except _UnsatisfiableError:
        file.close()
        code = "range-not-satisfiable"
        request.scope.setdefault("state", {})["problem"] = (416, code)
        answer = problem(416, code, f"The file has {size} bytes, and none in that range.")
        answer.headers.update({"Content-Range": f"bytes */{size}", "ETag": etag})
        return answer
    status = 200
    if (first, last) != (0, size - 1):
        status = 206
        found["Content-Range"] = f"bytes {first}-{last}/{size}"
    found["Content-Length"] = str(last - first + 1)
    if request.method == "HEAD":
        file.close()
        return Response(status_code=status, headers=found)
    return _FileStream(file, first=first, last=last, status=status, headers=found)


class _UnsatisfiableError(Exception):
    """No byte of the file is in the range."""


def _wanted(request: Request, *, size: int, etag: str) -> tuple[int, int]:
    """Return first and last byte of what is asked for; what is no range of ours asks for all."""
    whole = 0, size - 1
    found = _ONE_RANGE.fullmatch(request.headers.get("range", "").strip())
    if found is None or found.group(0) == "bytes=-":
        return whole
    if request.headers.get("if-range", etag) != etag:
        return whole  # of another content: a part would not fit what the client has
    start, end = found.groups()
    first, last = (size - int(end), size - 1) if not start else (int(start), int(end or size - 1))
    if start and end and last < first:
        return whole
    if first >= size or (not start and not int(end)):
        raise _UnsatisfiableError
    return max(first, 0), min(last, size - 1)


class _FileStream(StreamingResponse):
    """A part of a file, which is closed at the end, whatever ends the answer."""

    def __init__(
        self, file: BinaryIO, *, first: int, last: int, status: int, headers: dict[str, str]
    ) -> None:
        super().__init__(_pieces(file, first, last), status_code=status, headers=headers)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the part; a reader who goes away cancels this, but not the closing."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with CancelScope(shield=True):
                await run_in_threadpool(self._file.close)


def _pieces(file: BinaryIO, first: int, last: int) -> Iterator[bytes]:
    file.seek(first)
    left = last - first + 1
    while left > 0 and (piece := file.read(min(_PIECE_BYTES, left))):
        left -= len(piece)
        yield piece
