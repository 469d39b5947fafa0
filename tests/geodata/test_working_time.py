"""The working calendar: known days by hand, and limits against counting minute by minute."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.errors import InvalidParameterError
from geodata.working_time import (
    OFFICE_HOURS,
    OFFICE_ZONE,
    WORKING_DAY,
    Limit,
    due_after,
    is_announced,
    is_working_day,
    working_time_between,
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=OFFICE_ZONE)


def is_working_minute(moment: datetime) -> bool:
    """Tell whether the minute that begins at a moment is worked, said independently."""
    clock = moment.time()
    return is_working_day(moment.date()) and any(a <= clock < b for a, b in OFFICE_HOURS)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 9, 30), True),  # a Wednesday
        (date(2026, 10, 1), False),  # National Day
        (date(2026, 10, 10), True),  # a Saturday worked for it
        (date(2026, 10, 11), False),  # a Sunday
        (date(2026, 2, 17), False),  # Spring Festival, a Tuesday
        (date(2031, 10, 1), True),  # not announced: a Wednesday counts
        (date(2031, 10, 4), False),  # and a Saturday does not
    ],
)
def test_holidays_and_make_up_days_are_known_and_else_weekdays_count(
    day: date, *, works: bool
) -> None:
    assert is_working_day(day) is works


@pytest.mark.parametrize(
    ("start", "limit", "expected"),
    [
        ("2026-11-23 09:00", "2h", "2026-11-23 11:00"),  # a Monday
        ("2026-11-23 11:00", "2h", "2026-11-23 15:00"),  # over lunch
        ("2026-11-23 16:30", "4h", "2026-11-24 11:30"),  # into the next day
        ("2026-11-23 13:00", "1h", "2026-11-23 15:00"),  # reported at lunch
        ("2026-11-21 23:00", "1h", "2026-11-23 09:30"),  # on a Saturday night
        ("2026-11-23 10:30", "1d", "2026-11-24 10:30"),
        ("2026-09-30 10:30", "1d", "2026-10-08 10:30"),  # over the holidays
        ("2026-10-09 10:30", "2d", "2026-10-12 10:30"),  # the Saturday between is worked
        ("2026-11-23 08:30", "7h", "2026-11-23 17:30"),  # up at closing time, not next morning
    ],
)
def test_a_limit_is_up_when_its_working_time_is_over(start: str, limit: str, expected: str) -> None:
    assert due_after(at(start), Limit.of(limit)).at == at(expected)


def test_a_working_day_has_seven_hours() -> None:
    assert timedelta(hours=7) == WORKING_DAY


def test_the_words_say_when_and_why_in_both_languages() -> None:
    due = due_after(at("2026-11-23 17:00"), Limit.of("4h"))
    assert due.words("en") == "due Tuesday 24 November 12:00: 4 working hours"
    assert due.words("zh") == "11月24日（周二）12:00 前：4 个工作小时"


def test_what_reaches_into_an_unannounced_year_says_so() -> None:
    year = next(year for year in range(2020, 2200) if not is_announced(year))
    due = due_after(at(f"{year - 1}-12-31 17:00"), Limit.of("3d"))
    assert due.unannounced_years == (year,)
    assert f"the holidays of {year} are not announced yet" in due.words("en")
    assert f"{year}年的节假日尚未公布" in due.words("zh")


@pytest.mark.parametrize("text", ["", "4", "h", "0h", "-1h", "4 h", "4w", "1000d", "4H", "４h"])
def test_a_limit_that_is_written_otherwise_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameterError, match="such as 4h or 2d"):
        Limit.of(text)


MINUTES = st.integers(0, 3 * 366 * 24 * 60)
STARTS = MINUTES.map(lambda minutes: at("2025-01-01 00:00") + timedelta(minutes=minutes))
LIMITS = st.builds(Limit, st.integers(1, 30), st.sampled_from("hd"))


@given(start=STARTS, limit=LIMITS)
def test_so_much_working_time_has_passed_when_it_is_due_and_not_before(
    start: datetime, limit: Limit
) -> None:
    due = due_after(start, limit).at
    assert working_time_between(start, due) == limit.length
    assert working_time_between(start, due - timedelta(minutes=1)) < limit.length
    assert is_working_minute(due - timedelta(minutes=1))


@given(start=STARTS, minutes=st.integers(0, 5 * 24 * 60))
def test_working_time_is_what_counting_minutes_gives(start: datetime, minutes: int) -> None:
    counted = sum(is_working_minute(start + timedelta(minutes=one)) for one in range(minutes))
    end = (start + timedelta(minutes=minutes)).astimezone(UTC)
    assert working_time_between(start, end) == timedelta(minutes=counted)


@given(start=STARTS, wait=st.integers(0, 10_000), limit=LIMITS)
def test_whoever_begins_later_is_never_due_earlier(
    start: datetime, wait: int, limit: Limit
) -> None:
    later = due_after(start + timedelta(minutes=wait), limit).at
    assert due_after(start, limit).at <= later
