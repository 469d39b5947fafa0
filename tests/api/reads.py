"""Every GET that there is, as somebody would send it."""

import re
from collections.abc import Mapping

from api.rules import RULES
from tests.api.test_statuses import PROVOKED

NOTHING = "00000000-0000-7000-8000-000000000000"
_NUMBERS = {"z": "14", "x": "13341", "y": "7114"}


def addresses(known: Mapping[str, str]) -> list[str]:
    """Return an address for each route that is read.

    Parameters
    ----------
    known
        What stands for ``{name}`` in an address; for other names, nothing that exists.
    """
    words = _NUMBERS | dict(known)
    found = []
    for route in RULES:
        method, path = route.split(" ", 1)
        if method == "GET":
            asked = PROVOKED.get((method, path), {}).get(200)
            address = asked.path if asked else path
            found.append(
                re.sub(r"\{(\w+)(:path)?\}", lambda name: words.get(name[1], NOTHING), address)
            )
    return found
