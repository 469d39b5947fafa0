"""How alike two members are, by name, phone and home: the whole rule, without a database."""

import unicodedata
from difflib import SequenceMatcher

SIMILAR = 0.6
"""Names from here on are called similar: one of two letters of 王小明 and 王晓明 differs."""

LEAST = 0.6
"""Pairs from here on are shown."""

REASONS = ("same_phone", "same_masked_phone", "same_name", "similar_name", "same_home")
"""What can speak for one person."""

_SAME_PHONE, _SAME_MASK, _SAME_HOME, _NAME = 0.65, 0.35, 0.25, 0.35


def name_likeness(one: str, other: str) -> float:
    """Return how alike two names are, in [0, 1]; spaces, width and case make no difference.

    Of Chinese names it is the share of letters that stand in both in the same order.

    Examples
    --------
    >>> name_likeness("王小明", "王小明"), round(name_likeness("王小明", "王晓明"), 2)
    (1.0, 0.67)
    >>> name_likeness("王小明", "李大山")
    0.0
    """
    left, right = _bare(one), _bare(other)
    if not left or not right:
        return 0.0
    return SequenceMatcher(None, left, right, autojunk=False).ratio()


def judge(
    *,
    names: tuple[str, str],
    is_same_phone: bool | None,
    is_same_mask: bool,
    is_same_home: bool,
) -> tuple[float, tuple[str, ...]]:
    """Return how much speaks for one person, in [0, 1], and what.

    Parameters
    ----------
    is_same_phone
        Whether the phones in clear are equal; None: one has none, or it cannot be read.
    is_same_mask
        Whether their masks are.
    is_same_home
        Whether both live in the same stairwell, or building.

    Examples
    --------
    >>> judge(names=("王小明", "王晓明"), is_same_phone=True, is_same_mask=True, is_same_home=False)
    (0.88, ('same_phone', 'similar_name'))
    """
    likeness = name_likeness(*names)
    reasons, score = [], 0.0
    if is_same_phone:
        reasons.append("same_phone")
        score += _SAME_PHONE
    elif is_same_mask and is_same_phone is None:
        reasons.append("same_masked_phone")
        score += _SAME_MASK
    if likeness >= SIMILAR:
        reasons.append("same_name" if likeness == 1 else "similar_name")
        score += _NAME * likeness
    if is_same_home:
        reasons.append("same_home")
        score += _SAME_HOME
    if is_same_phone is False:
        # Father and son share a home, colleagues a name: another phone is another person, unless
        # name and home are the same.
        score = score if likeness == 1 and is_same_home else 0.0
    return round(min(score, 1.0), 2), tuple(reasons)


def _bare(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())
