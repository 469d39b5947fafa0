"""The system's Chromium, held to this machine, and what it saw of a page."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from maps.assets import localize
from tests.browser import SIZES, browser

__all__ = ["browser"]

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"

_WATCH_POLICY = """
window.violations = [];
document.addEventListener("securitypolicyviolation",
    (event) => window.violations.push(event.violatedDirective + " " + event.blockedURI));
window.told = [];
for (const name of ["stairwell", "compound", "stop", "team"]) {
    document.addEventListener("gridsvc:" + name,
        (event) => window.told.push([name, event.detail]));
}
"""


@pytest.fixture(scope="session", autouse=True)
def _localized() -> None:
    localize()


@dataclass
class Visit:
    """A page that was opened, and all that it asked for and complained of."""

    page: Page
    host: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def outside(self) -> list[str]:
        """Requests to another host."""
        return [
            url
            for url in self.requests
            if urlsplit(url).scheme not in {"data", "blob"} and not url.startswith(self.host + "/")
        ]

    def wait_for(self, features: dict[str, int]) -> None:
        """Wait until exactly these numbers of features are drawn."""
        self.page.wait_for_function(
            "want => Object.entries(want).every(([key, n]) => gridsvc.features[key] === n)",
            arg=features,
            timeout=15_000,
        )

    def shoot(self, name: str) -> None:
        """Keep a picture, after what is still moving has come to rest."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.wait_for_timeout(400)
        self.page.screenshot(path=SCREENSHOTS / f"maps-{name}.png")

    def assert_clean(self) -> None:
        """Nothing from outside, no error, no breach of the policy."""
        assert self.requests, "the page asked for nothing at all"
        assert self.outside() == []
        assert self.complaints == []
        assert self.page.evaluate("window.violations") == []


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[[str, str, str], Visit]]:
    """Open a page: ``visit(host, path, "desktop")``. The size is set before it loads."""
    contexts = []

    def open_page(host: str, path: str, size: str) -> Visit:
        width, height = SIZES[size]
        is_phone = size == "phone"
        context = browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=2 if is_phone else 1,
            has_touch=is_phone,
            is_mobile=is_phone,
        )
        contexts.append(context)
        page = context.new_page()
        seen = Visit(page, host)
        page.add_init_script(_WATCH_POLICY)
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on(
            "console",
            lambda message: (
                seen.complaints.append(message.text) if message.type == "error" else None
            ),
        )
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.goto(host + path)
        return seen

    yield open_page
    for context in contexts:
        context.close()
