"""The clock of the people whom the service serves: days and months begin by it."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

LOCAL_TIME = ZoneInfo("Asia/Shanghai")


def local_today() -> date:
    """Return today's date where the sub-district is."""
    return datetime.now(LOCAL_TIME).date()
