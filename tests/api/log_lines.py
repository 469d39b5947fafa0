"""The log as an operator gets it: every line, through the formatter of the service."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from api import logs

UVICORN = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")


@dataclass
class Lines:
    """What has been written so far."""

    stream: io.StringIO = field(default_factory=io.StringIO)

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    def all(self, logger: str | None = None) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in found if logger in {None, line["logger"]}]

    @property
    def requests(self) -> list[dict[str, Any]]:
        return self.all("gridsvc.request")

    @property
    def security(self) -> list[dict[str, Any]]:
        return self.all("gridsvc.security")

    def clear(self) -> None:
        self.stream.truncate(0)
        self.stream.seek(0)


@contextmanager
def recorded(*, level: int | None = None) -> Iterator[Lines]:
    """Log as ``./grid serve`` does, or ours and the server's from another level on.

    Other tests let the server set up loggers of its own; those are put aside.
    """
    loggers = [logging.getLogger(name) for name in ("", *logs.OURS, *UVICORN)]
    before = [(one, one.level, one.propagate, one.handlers[:], one.disabled) for one in loggers]
    for one in loggers[1:]:
        one.handlers[:], one.propagate, one.disabled = [], True, False
        one.setLevel(logging.NOTSET)
    lines = Lines()
    handler = logs.configure(lines.stream)
    if level is not None:
        for one in loggers[1:]:
            one.setLevel(level)
    try:
        yield lines
    finally:
        handler.close()
        for one, was, propagates, handlers, disabled in before:
            one.setLevel(was)
            one.handlers[:], one.propagate, one.disabled = handlers, propagates, disabled
