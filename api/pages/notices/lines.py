"""A message as lines, of which those that are addresses of ours can be followed."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.pages.shell import own_path


@dataclass(frozen=True)
class Line:
    """A line of a message; ``href`` is empty where it is none of our addresses."""

    text: str
    href: str


def lines_of(text: str, origin: str) -> Sequence[Line]:
    r"""Return the lines of a message.

    Parameters
    ----------
    origin
        That of our own addresses; others stay text, whoever put them there.

    Examples
    --------
    >>> lines_of("Lights\nhttps://g.example/i/4", "https://g.example")[1].href
    '/i/4'
    >>> lines_of("https://g.example.evil/", "https://g.example")[0].href
    ''
    """
    return [Line(line, _href(line, origin)) for line in text.split("\n")]


def _href(line: str, origin: str) -> str:
    return own_path(line.removeprefix(origin), default="") if line.startswith(origin) else ""
