"""What stands in a page: its elements, its words, its numbers."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_UNSEEN = {"script", "style", "title"}


@dataclass
class Page:
    """A page taken apart.

    Attributes
    ----------
    elements
        Tag and attributes of each element, in order.
    words
        The text that is seen, spaces joined.
    scripts
        The text of inline scripts.
    """

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    words: str = ""
    scripts: list[str] = field(default_factory=list)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def links(self) -> list[str]:
        return [attributes["href"] for attributes in self.all("a")]


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self.inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag in _UNSEEN:
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.page.words = f"{self.page.words} {' '.join(data.split())}".strip()
        elif self.inside[-1] == "script":
            self.page.scripts.append(data)


def parse(html: str) -> Page:
    """Take a page apart."""
    parser = _Parser()
    parser.feed(html)
    parser.page.words = re.sub(r" +", " ", parser.page.words)
    return parser.page
