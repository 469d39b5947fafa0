"""Codes of an authenticator: those of RFC 6238, a step early or late, and each once."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from gridsvc.access import second_factor

# RFC 6238, appendix B, for SHA-1; six digits are the last six of its eight.
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # noqa: S105  (published)
VECTORS = {59: "287082", 1111111109: "081804", 1234567890: "005924", 2000000000: "279037"}


def at(second: float) -> datetime:
    return datetime.fromtimestamp(second, UTC)


@pytest.mark.parametrize("second", VECTORS)
def test_the_codes_are_those_of_the_standard(second: int) -> None:
    assert second_factor.find_step(SECRET, VECTORS[second], now=at(second)) == second // 30


@pytest.mark.parametrize(
    ("late_s", "is_good"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)]
)
def test_a_clock_may_be_one_step_off(late_s: int, *, is_good: bool) -> None:
    second, code = 1234567890, "005924"
    step = second_factor.find_step(SECRET, code, now=at(second + late_s))
    assert step == (second // 30 if is_good else None)


def test_a_code_is_good_once_and_none_before_it_afterwards() -> None:
    second, code = 1234567890, "005924"
    step = second // 30
    assert second_factor.find_step(SECRET, code, now=at(second), last_step=step - 1) == step
    assert second_factor.find_step(SECRET, code, now=at(second), last_step=step) is None
    assert second_factor.find_step(SECRET, code, now=at(second + 30), last_step=step + 1) is None


@pytest.mark.parametrize("code", ["", "00592", "0059244", "123456", "005924x"])
def test_anything_else_is_wrong(code: str) -> None:
    assert second_factor.find_step(SECRET, code, now=at(1234567890)) is None


def test_digits_of_a_chinese_keyboard_are_digits() -> None:
    assert second_factor.find_step(SECRET, " ００５９２４ ", now=at(1234567890)) == 41152263


def test_secrets_are_long_and_never_the_same() -> None:
    secrets = {second_factor.new_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert {len(secret) for secret in secrets} == {32}, "160 bits in base 32"


def test_an_authenticator_reads_who_and_what_from_the_address() -> None:
    parts = urlsplit(second_factor.address(SECRET, login="016-0042"))
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert unquote(parts.path) == "/gridsvc:016-0042"
    assert parse_qs(parts.query) == {"secret": [SECRET], "issuer": ["gridsvc"]}
