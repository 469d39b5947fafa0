"""The browser for the pages of the service."""

from tests.browser import browser, open_tab

__all__ = ["browser", "open_tab"]
