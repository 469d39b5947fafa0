"""Which stairwell an address means: one, several that could be meant, or none."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from geodata.addresses import Address, normalise_name
from geodata.reasons import NOTHING, Reason, reason
from geodata.register.known import Known
from geodata.register.names import accepted

ONLY_COMPOUND = 0.9
"""Score where the address names no compound, and there is but one."""

UNSAID = 0.5
"""Share of a name's score for a stairwell that the address does not name."""

CONTRADICTED = 0.25
"""Share for one that is named otherwise."""

MOST_CANDIDATES = 20

NO_ADDRESS = reason("no-address")

_ODD = re.compile(r"[0-9A-Z栋幢座梯]|单元")

Candidates = tuple[tuple[str, float], ...]
Nearest = dict[str, tuple[tuple[str, float], ...]]


@dataclass(frozen=True)
class Outcome:
    """What an address came to.

    Attributes
    ----------
    code
        The stairwell meant, None where there is doubt.
    score
        Of ``code``, in [0, 1].
    candidates
        Where there is doubt: codes and scores, best first.
    reason
        Why there is doubt; it quotes our names, not the file's.
    """

    code: str | None = None
    score: float = 0.0
    candidates: Candidates = ()
    reason: Reason = NOTHING


def resolve(address: Address, known: Known, nearest: Nearest) -> Outcome:
    """Find the stairwell that an address means.

    Parameters
    ----------
    address
        In parts.
    known
        The stairwells there are.
    nearest
        For the normalised name of each unknown compound those most alike.
    """
    if not (address.compound or address.street or address.buildings):
        return Outcome(reason=NO_ADDRESS)
    wanted = name_wanted(address, known)
    if address.street and not address.buildings:
        found = known.buildings_on(address.street)
        if len(found) == 1 and (wanted not in known.compounds or found[0][0] == wanted):
            return _checked(_in_building(address, known, *found[0], 1.0), address)
    places = _places(address, wanted, known, nearest)
    if not places:
        return Outcome(reason=_no_compound(address))
    chosen = places[0] if places[0][1] == 1.0 else accepted(wanted, places)
    if chosen is None and len(places) == 1 and not address.compound:
        chosen = places[0]
    if chosen is None:
        return _nearby(address, known, places)
    name, score = chosen
    if address.is_numbered and wanted not in known.compounds:
        address = replace(address, buildings=(), is_numbered=False)
    return _checked(_in_compound(address, known, name, score), address)


def name_wanted(address: Address, known: Known) -> str:
    """Return the normalised name of the compound that an address is looked for by, or "".

    What was taken for a city or a street may belong to the name: 新都市花园, 金街花园. So the
    longest end of all of it that is a known name goes first.
    """
    name = normalise_name(address.compound or address.street)
    whole = normalise_name(address.area + address.street + address.compound)
    if whole.endswith(name):
        for start in range(len(whole) - len(name)):
            if whole[start:] in known.compounds:
                return whole[start:]
    return name


def _places(address: Address, name: str, known: Known, nearest: Nearest) -> list[tuple[str, float]]:
    """Return the compounds that may be meant, with the score of their name."""
    if name in known.compounds:
        return [(name, 1.0)]
    if address.is_numbered:
        with_number = normalise_name(f"{address.compound}{address.buildings[0]}号")
        if with_number in known.compounds:
            return [(with_number, 1.0)]
    if not name:
        only = list(known.compounds)
        return [(only[0], ONLY_COMPOUND)] if len(only) == 1 else []
    return list(nearest.get(name, ()))


def _no_compound(address: Address) -> Reason:
    if not (address.compound or address.street):
        return reason("no-compound-named")
    return reason("no-such-compound")


def _nearby(address: Address, known: Known, places: Sequence[tuple[str, float]]) -> Outcome:
    """Return the candidates in compounds of similar names."""
    found: list[tuple[str, float]] = []
    for name, score in places:
        outcome = _in_compound(address, known, name, score)
        found += outcome.candidates or ([(outcome.code, score)] if outcome.code else [])
    title = known.titles.get(places[0][0], places[0][0])
    return Outcome(candidates=_sorted(found), reason=reason("similar-compound", title=title))


def _in_compound(address: Address, known: Known, name: str, score: float) -> Outcome:
    buildings = known.compounds[name]
    title = known.titles.get(name, name)
    joined = "、".join(address.buildings)
    if joined in buildings:
        if address.is_numbered and (name, joined) not in known.numbered:
            within = _codes(buildings[joined], score * UNSAID)
            why = reason("number-in-doubt", building=joined, title=title)
            return Outcome(candidates=within, reason=why)
        return _in_building(address, known, name, joined, score)
    if not address.buildings:
        if len(buildings) == 1:
            return _in_building(address, known, name, next(iter(buildings)), score)
        candidates = _all_codes(list(buildings.values()), score * UNSAID)
        return Outcome(
            candidates=candidates,
            reason=reason("no-building-named", title=title, count=len(buildings)),
        )
    if len(address.buildings) > 1:
        named = [buildings[one] for one in address.buildings if one in buildings]
        return Outcome(
            candidates=_all_codes(named, score * UNSAID),
            reason=reason(
                "several-buildings", count=len(address.buildings), title=title, found=len(named)
            ),
        )
    return Outcome(reason=reason("no-such-building", title=title))


def _in_building(address: Address, known: Known, name: str, building: str, score: float) -> Outcome:
    stairwells = known.compounds[name][building]
    where = {"building": building, "title": known.titles.get(name, name)}
    if not address.stairwells:
        if sum(map(len, stairwells.values())) == 1:
            return Outcome(code=next(iter(stairwells.values()))[0], score=score)
        return Outcome(
            candidates=_codes(stairwells, score * UNSAID),
            reason=reason("no-stairwell-named", **where, count=len(stairwells)),
        )
    joined = "、".join(address.stairwells)
    if joined in stairwells:
        codes = stairwells[joined]
        if len(codes) == 1:
            return Outcome(code=codes[0], score=score)
        several = tuple((code, score) for code in codes)
        return Outcome(candidates=several, reason=reason("several-of-name", **where))
    if list(stairwells) == [""] and address.stairwells == ("1",) and len(stairwells[""]) == 1:
        return Outcome(code=stairwells[""][0], score=score)
    named = {one: stairwells[one] for one in address.stairwells if one in stairwells}
    if len(address.stairwells) > 1 and named:
        why = reason("several-stairwells", count=len(address.stairwells))
        return Outcome(candidates=_codes(named, score * UNSAID), reason=why)
    why = reason("no-such-stairwell", **where)
    return Outcome(candidates=_codes(stairwells, score * CONTRADICTED), reason=why)


def _checked(outcome: Outcome, address: Address) -> Outcome:
    """Put what was found in doubt where part of the address was not understood."""
    if outcome.code is None or not _ODD.search(address.rest):
        return outcome
    return Outcome(
        candidates=((outcome.code, outcome.score),),
        reason=reason("not-understood"),
    )


def _codes(stairwells: dict[str, list[str]], score: float) -> Candidates:
    return _all_codes([stairwells], score)


def _all_codes(buildings: Sequence[dict[str, list[str]]], score: float) -> Candidates:
    codes = [code for one in buildings for codes in one.values() for code in codes]
    return _sorted([(code, score) for code in codes])


def _sorted(candidates: Sequence[tuple[str, float]]) -> Candidates:
    """Return the best candidates, each code once with its best score."""
    best: dict[str, float] = {}
    for code, score in candidates:
        best[code] = max(score, best.get(code, 0.0))
    return tuple(sorted(best.items(), key=lambda one: (-one[1], one[0]))[:MOST_CANDIDATES])
