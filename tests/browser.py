"""The system's Chromium, held to this machine, and what it saw of a page."""

import atexit
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, sync_playwright

ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
SCREENSHOTS = Path(__file__).parents[1] / "build" / "screenshots"
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
SMALL = (360, 740)
WAIT_MS = 30_000

_WATCH_POLICY = """
window.violations = [];
document.addEventListener("securitypolicyviolation",
    (event) => window.violations.push(event.violatedDirective + " " + event.blockedURI));
"""


@dataclass
class Visit:
    """A tab of a browser, and all that it asked for and complained of.

    Attributes
    ----------
    host
        Address without a slash at the end.
    complaints
        Errors on the console, scripts that broke off, dialogs.
    """

    page: Page
    host: str
    size: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        # The script of a login link goes on before the page has loaded; all others load whole.
        self.page.goto(self.host + path, wait_until="commit" if "#" in path else "load")

    def refuse(self, dialog: Dialog) -> None:
        """Note a dialog: no page of ours opens one."""
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def outside(self) -> list[str]:
        """Requests to another host."""
        return [
            url
            for url in self.requests
            if urlsplit(url).scheme not in {"data", "blob"} and not url.startswith(self.host + "/")
        ]

    def features(self) -> dict[str, int]:
        """Numbers of features drawn, by layer."""
        return dict(self.page.evaluate("window.gridsvc.features"))

    def wait_for(self, features: Mapping[str, int]) -> None:
        """Wait until exactly these numbers of features are drawn, and fail saying which were."""
        wanted = "want => Object.entries(want).every(([key, n]) => gridsvc.features[key] === n)"
        try:
            self.page.wait_for_function(wanted, arg=dict(features), timeout=WAIT_MS)
        finally:
            drawn = {key: self.features().get(key) for key in features}
            assert drawn == dict(features), f"drawn {drawn}, wanted {dict(features)}"

    def shoot(self, name: str) -> None:
        """Keep a picture, after what is still moving has come to rest."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.wait_for_load_state("networkidle")
        self.page.wait_for_timeout(300)
        self.page.screenshot(path=SCREENSHOTS / f"{name}-{self.size}.png")

    def assert_clean(self) -> None:
        """Nothing from outside, no error, no breach of the policy, nothing wider than the page."""
        assert self.requests, "the page asked for nothing at all"
        assert self.outside() == []
        assert self.complaints == []
        assert self.page.evaluate("window.violations") == []
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert self.page.evaluate(wide) <= 0


OpenTab = Callable[..., Visit]


def _find_chromium() -> str | None:
    # The launcher hands over the browser that it found or installed.
    return os.environ.get("GRID_CHROMIUM") or shutil.which("chromium")  # noqa: TID251


@cache
def _chromium() -> Browser:
    """Start the browser, one a test process: Playwright cannot be started twice in a thread."""
    playwright = sync_playwright().start()
    atexit.register(playwright.stop)
    return playwright.chromium.launch(executable_path=_find_chromium(), args=ARGUMENTS)


@pytest.fixture(scope="session")
def browser() -> Browser:
    if _find_chromium() is None:
        pytest.skip("Chromium is not installed")
    return _chromium()


@pytest.fixture
def open_tab(browser: Browser) -> Iterator[OpenTab]:
    """Open an empty tab: ``open_tab(host, "phone", code=…)``, signed in where a code is given."""
    contexts: list[BrowserContext] = []

    def opened(host: str, size: str = "desktop", *, code: str | None = None) -> Visit:
        width, height = SMALL if size == "small" else SIZES[size]
        is_phone = size != "desktop"
        context = browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=2 if is_phone else 1,
            has_touch=is_phone,
            is_mobile=is_phone,
        )
        contexts.append(context)
        if code is not None:
            answer = context.request.post(f"{host}/login", form={"code": code}, max_redirects=0)
            assert answer.status == 303
        return _watch(context.new_page(), host, size)

    yield opened
    for context in contexts:
        context.close()


def _watch(page: Page, host: str, size: str) -> Visit:
    seen = Visit(page, host, size)
    page.add_init_script(_WATCH_POLICY)
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("dialog", seen.refuse)
    page.on(
        "console",
        lambda message: seen.complaints.append(message.text) if message.type == "error" else None,
    )
    return seen
