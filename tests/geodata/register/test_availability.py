"""Times as offices write them, read without guessing."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from geodata.register.availability import Availability, Span, parse_availability

EVENING, DAY = (1140, 1260), (0, 1440)


def on(days: str, time: tuple[int, int]) -> tuple[Span, ...]:
    return tuple((int(day), *time) for day in days)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("", ()),
        ("周一至周五19:00-21:00；周六全天", on("12345", EVENING) + on("6", DAY)),
        ("周一到周五 19点至21点", on("12345", EVENING)),
        ("星期一、三、五晚上", on("135", (1140, 1320))),
        ("周二，周四19：00—21：00", on("24", EVENING)),
        ("周五至周一8:30-9:00", on("1567", (510, 540))),
        ("工作日19:00-21:00;周末全天", on("12345", EVENING) + on("67", DAY)),
        ("每天19:00-21:00", on("1234567", EVENING)),
        ("周一9:00-11:00，19:00-21:00", ((1, 540, 660), (1, 1140, 1260))),
        ("随时", on("1234567", DAY)),
        ("周日", on("7", DAY)),
        ("周六0:00-24:00", on("6", DAY)),
    ],
)
def test_times_of_the_week_are_read(text: str, spans: tuple[Span, ...]) -> None:
    assert parse_availability(text) == Availability(spans)


@pytest.mark.parametrize(
    ("text", "away"),
    [
        ("2020-07-01至2020-07-15不在", (date(2020, 7, 1), date(2020, 7, 15))),
        ("2020年7月1日到7月15日外出", (date(2020, 7, 1), date(2020, 7, 15))),
        ("2020/7/1起外出", (date(2020, 7, 1), None)),
    ],
)
def test_dates_are_absences(text: str, away: tuple[date, date | None]) -> None:
    assert parse_availability(f"周日；{text}") == Availability(on("7", DAY), (away,))


@pytest.mark.parametrize(
    "text",
    [
        "看心情",
        "周一25:00-26:00",
        "周一21:00-19:00",
        "周一19:70-21:00",
        "周一至周五晚上7点半",
        "2020-13-01不在",
        "2020-07-15至2020-07-01不在",
        "节假日",
    ],
)
def test_what_is_not_understood_is_counted_and_nothing_is_guessed(text: str) -> None:
    assert parse_availability(text) == Availability(unread=1)
    assert parse_availability(f"周日；{text}") == Availability(on("7", DAY), unread=1)


@given(st.text(max_size=40))
@hypothesis_settings(max_examples=100, deadline=None)
def test_any_text_gives_spans_in_order_and_within_the_day(text: str) -> None:
    found = parse_availability(text)
    assert list(found.spans) == sorted(set(found.spans))
    assert all(1 <= day <= 7 and 0 <= a < b <= 1440 for day, a, b in found.spans)
    assert all(last is None or first <= last for first, last in found.away)
