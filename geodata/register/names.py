"""How alike two names of compounds are."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

ACCEPTED = 0.85
"""A name of this score is taken for the other's misspelling, if no third one is near."""

MARGIN = 0.1
"""How much less alike the second must be."""

OF_ANOTHER_PLACE = 0.5
"""Most that names can have whose numbers, letters or directions differ: 一期 is not 二期."""

PART_OF_THE_OTHER = 0.8
"""Most that names can have of which one contains the other: 桂园 is not 桂园新村."""

OTHER_ENDING = 0.95
"""Score of names that differ by a word for "compound" only: 翠湖 and 翠湖小区."""

_NEAREST = 5
_LONGEST = 40
_TELLING = re.compile(r"\d+|[A-Z]+|[东西南北中上下左右前后新旧老大小甲乙丙丁]")
_GENERIC = re.compile(r"(?:住宅小区|小区|住宅区|生活区|社区)$")


def likeness(one: str, other: str) -> float:
    """Return how alike two normalised names are.

    Parameters
    ----------
    one, other
        As :func:`geodata.addresses.normalise_name` gives them.

    Returns
    -------
    float
        1 for equal names, else 1 less the share of signs that have to be changed (edit distance by
        the length of the longer one), within the bounds of this module's constants.

    Examples
    --------
    >>> likeness("南海颐景园花园", "南海怡景园花园")
    0.8571428571428572
    >>> likeness("翠湖花园1期", "翠湖花园2期"), likeness("翠湖", "翠湖小区")
    (0.5, 0.95)
    """
    one, other = one[:_LONGEST], other[:_LONGEST]
    if one == other:
        return 1.0
    stems = _GENERIC.sub("", one), _GENERIC.sub("", other)
    if stems[0] == stems[1] and len(stems[0]) > 1:
        return OTHER_ENDING
    score = 1.0 - _edits(one, other) / max(len(one), len(other), 1)
    if _TELLING.findall(one) != _TELLING.findall(other):
        return min(score, OF_ANOTHER_PLACE)
    if one in other or other in one:
        return min(score, PART_OF_THE_OTHER)
    return score


def nearest(
    names: Iterable[str], known: Sequence[str], *, at_least: float = 0.5
) -> dict[str, tuple[tuple[str, float], ...]]:
    """Find the known names that are most alike.

    Parameters
    ----------
    names
        Normalised names to look for; each distinct one is looked for once.
    known
        Normalised names, each once.
    at_least
        Less alike ones are left out.

    Returns
    -------
    dict
        For each name at most five known ones with their likeness, the most alike first, then by
        name; empty where none is alike.
    """
    signs = {sign: at for at, sign in enumerate(sorted({sign for name in known for sign in name}))}
    often = np.zeros((len(signs), len(known)), dtype=np.int16)
    for column, name in enumerate(known):
        for sign, count in Counter(name).items():
            often[signs[sign], column] = count
    lengths = np.array([len(name) for name in known], dtype=np.int16)
    return {
        name: _nearest(name, known, signs, often, lengths, at_least)
        for name in dict.fromkeys(names)
    }


def accepted(name: str, scored: Sequence[tuple[str, float]]) -> tuple[str, float] | None:
    """Return the name of which the looked-for one is a misspelling, if there is no doubt.

    Where 丹桂小区 and 丹桂苑 are, 丹桂 may be either.
    """
    if not scored or scored[0][1] < ACCEPTED:
        return None
    stem = _GENERIC.sub("", name)
    for other, score in scored[1:]:
        if score > scored[0][1] - MARGIN or other.startswith(stem):
            return None
    return scored[0]


def _nearest(
    name: str,
    known: Sequence[str],
    signs: dict[str, int],
    often: np.ndarray,
    lengths: np.ndarray,
    at_least: float,
) -> tuple[tuple[str, float], ...]:
    """Return the most alike names; only those that share enough signs are compared in order."""
    shared = np.zeros(len(known), dtype=np.int16)
    for sign, count in Counter(name).items():
        if sign in signs:
            shared += np.minimum(often[signs[sign]], count)
    # No more signs can stay than are shared, so this is never less than the likeness.
    bound = shared / np.maximum(lengths, max(len(name), 1))
    best = np.argsort(-bound, kind="stable")[: 3 * _NEAREST]
    scored = [(known[at], likeness(name, known[at])) for at in best if shared[at] > 0]
    scored = [one for one in scored if one[1] >= at_least]
    return tuple(sorted(scored, key=lambda one: (-one[1], one[0]))[:_NEAREST])


def _edits(one: str, other: str) -> int:
    """Return the least number of signs to insert, delete or replace (Levenshtein distance)."""
    row = list(range(len(other) + 1))
    for above, sign in enumerate(one, start=1):
        before, row[0] = row[0], above
        for at, against in enumerate(other, start=1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (sign != against))
    return row[-1]
