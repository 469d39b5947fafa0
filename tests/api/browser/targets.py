"""What can be tapped, and whether a thumb hits it."""

from playwright.sync_api import Page

LEAST_TARGET_PX = 44


def small_targets(page: Page) -> list[object]:
    """Return what can be tapped, outside the map, and is lower than a thumb needs.

    Links inside a sentence are as high as their line; a checkbox is tapped by its label.

    References
    ----------
    .. [1] WCAG 2.2, success criterion 2.5.8: inline targets are an exception.
    """
    return list(
        page.evaluate(
            """least => [...document.querySelectorAll("a, button, select, input, label:has(input)")]
                .filter(one => !one.closest(".map, .skip, p, code, small, dd"))
                .filter(one => !(one.matches("input") && one.closest("label")))
                .map(one => [one, one.getBoundingClientRect()])
                .filter(([, box]) => box.width > 0 && box.height + 0.5 < least)
                .map(([one, box]) => [one.outerHTML.slice(0, 80), box.height])""",
            LEAST_TARGET_PX,
        )
    )
