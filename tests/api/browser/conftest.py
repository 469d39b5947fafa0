"""The browser for the pages of the service, and an evening that is always tonight's."""

import pytest

from gridsvc.local_time import LOCAL_TIME
from tests.api.conftest import Server

pytest.register_assert_rewrite("tests.browser")

from tests.browser import browser, open_tab  # noqa: E402 - after its registration

__all__ = ["browser", "open_tab"]

_TONIGHT = f"""
UPDATE gridsvc.patrol_shift
SET during = tstzrange(lower(during) + moved, upper(during) + moved)
FROM (
    SELECT make_interval(days => (now() AT TIME ZONE '{LOCAL_TIME.key}')::date
        - min((lower(during) AT TIME ZONE '{LOCAL_TIME.key}')::date)) AS moved
    FROM gridsvc.patrol_shift
) AS days
WHERE moved <> make_interval()
"""  # noqa: S608 - words of the tests


@pytest.fixture
def tonight(server: Server) -> None:
    """Move the planned evening to today: midnight may have passed since the sample was made."""
    server.service.clone.run(_TONIGHT)
