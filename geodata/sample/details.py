"""What the invented people said of themselves: branch, skills, hours, consent, absences.

Chance of its own topic, so that everything else of the sample stays as it was. Only who is not
available has an absence without an end: the plan of contacts is the same with it.
"""

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
from geopandas import GeoDataFrame
from numpy.random import Generator
from pandas import DataFrame, Series

from geodata.sample.chance import Flags, Ints, stream, uuid7_texts
from geodata.sample.frames import FOUNDED_MS
from geodata.vocabularies import Vocabulary, terms_of

_FIRST_CONSENT = date(2018, 7, 1)
_HAVE_HOURS, _WERE_AWAY, _EXCLUDED = 0.6, 0.05, 0.005
_SKILL_ODDS = (0.55, 0.3, 0.15)
_EVENING, _MORNING = (19 * 60, 21 * 60), (9 * 60, 11 * 60)
_KINDS = ("leave", "ill", "other")
_REASONS = ("亲属关系，本人申请回避", "住户要求更换联系人", "工作关系需要回避")


def make_details(
    members: GeoDataFrame, organisations: DataFrame, stairwell_codes: Series, *, seed: int
) -> tuple[GeoDataFrame, Mapping[str, DataFrame]]:
    """Return members with branch, skills and dialects, and what lies beside them.

    Parameters
    ----------
    members
        As `geodata.sample.make_people` makes them, by id; EPSG:4326.
    organisations
        Among them the branches of compounds.
    stairwell_codes
        All there are.

    Returns
    -------
    tuple
        The members (EPSG:4326) with ``branch_id`` (or None), ``skills``, ``dialects`` (lists of
        codes), and the frames ``consents``, ``absences``, ``hours`` and ``exclusions`` with the
        columns of their tables.
    """
    random = stream(seed, "details")
    told = members.assign(
        branch_id=Series(_branches(members, organisations), dtype="object"),
        skills=Series(_terms(len(members), "skills", (0, 1, 2), _SKILL_ODDS, random)),
        dialects=Series(_terms(len(members), "dialects", (1, 2, 3), _SKILL_ODDS, random)),
    )
    return told, {
        "consents": _consents(members, random),
        "absences": _absences(members, random),
        "hours": _hours(members, random),
        "exclusions": _exclusions(members, stairwell_codes, random),
    }


def _branches(members: GeoDataFrame, organisations: DataFrame) -> list[str | None]:
    """Return the branch of the compound in which a Party member lives, where it has one."""
    own = organisations[organisations["kind"] == "party_branch"].dropna(subset="compound_code")
    of_compound = dict(zip(own["compound_code"], own["id"], strict=True))
    homes = members["home_stairwell_code"]
    return [
        of_compound.get(home[:15]) if is_party and isinstance(home, str) else None
        for home, is_party in zip(homes, members["affiliation"] == "party_member", strict=True)
    ]


def _terms(
    count: int,
    vocabulary: Vocabulary,
    numbers: tuple[int, ...],
    odds: tuple[float, ...],
    random: Generator,
) -> list[list[str]]:
    codes = list(terms_of(vocabulary))
    wanted = random.choice(numbers, count, p=odds)
    # The words in front of a list are commoner.
    picked = np.floor(random.random((count, max(numbers))) ** 2 * len(codes)).astype(int)
    return [
        list(dict.fromkeys(codes[place] for place in row[:number]))
        for row, number in zip(picked.tolist(), wanted.tolist(), strict=True)
    ]


def _keys(members: GeoDataFrame, chosen: Ints | Flags) -> DataFrame:
    own = members.loc[:, ["community_code", "id"]].to_numpy()[chosen]
    return DataFrame(
        {"community_code": own[:, 0].astype("int64"), "member_id": own[:, 1].astype(str)}
    )


def _with_ids(rows: DataFrame, random: Generator) -> DataFrame:
    return rows.assign(id=uuid7_texts(np.full(len(rows), FOUNDED_MS), random=random))


def _consents(members: GeoDataFrame, random: Generator) -> DataFrame:
    rows = _keys(members, np.ones(len(members), dtype=bool))
    days = [day if isinstance(day, date) else _FIRST_CONSENT for day in members["reported_in_on"]]
    return _with_ids(rows.assign(given_on=days, basis="given"), random)


def _absences(members: GeoDataFrame, random: Generator) -> DataFrame:
    """Return what keeps away who is not available, and some absences that are over."""
    gone = ~members["available"].to_numpy(dtype=bool)
    were_away = ~gone & (random.random(len(members)) < _WERE_AWAY)
    first = [
        date(2019, 7, 1) + timedelta(days=int(day))
        for day in random.integers(300, size=len(members))
    ]
    length = random.integers(3, 40, len(members)).tolist()
    kinds = random.choice(_KINDS, len(members))
    kinds[gone & (random.random(len(members)) < 0.5)] = "leave"
    rows = []
    for chosen, is_over in ((gone, False), (were_away, True)):
        places = np.flatnonzero(chosen)
        terms = [
            f"[{first[at]},{first[at] + timedelta(days=length[at]) if is_over else ''})"
            for at in places.tolist()
        ]
        rows.append(_keys(members, places).assign(valid=terms, kind=kinds[places]))
    joined = DataFrame({name: [*rows[0][name], *rows[1][name]] for name in rows[0].columns})
    return _with_ids(joined, random)


def _hours(members: GeoDataFrame, random: Generator) -> DataFrame:
    """Return evenings of the week for most, mornings of the weekend for some."""
    have = np.flatnonzero(random.random(len(members)) < _HAVE_HOURS)
    is_weekend = random.random(len(have)) < 0.3
    places, days, begins, ends = [], [], [], []
    for at, weekend in zip(have.tolist(), is_weekend.tolist(), strict=True):
        times = _MORNING if weekend else _EVENING
        for day in (6, 7) if weekend else (1, 2, 3, 4, 5):
            places.append(at)
            days.append(day)
            begins.append(times[0])
            ends.append(times[1])
    rows = _keys(members, np.array(places, dtype=np.int64))
    return rows.assign(weekday=days, from_minute=begins, to_minute=ends)


def _exclusions(members: GeoDataFrame, stairwell_codes: Series, random: Generator) -> DataFrame:
    """Return a neighbouring stairwell that a few must not look after."""
    codes = np.sort(stairwell_codes.to_numpy().astype(str))
    homes = members["home_stairwell_code"]
    chosen, excluded = [], []
    draws = random.random(len(members))
    for at, (home, draw) in enumerate(zip(homes, draws.tolist(), strict=True)):
        if draw >= _EXCLUDED or not isinstance(home, str):
            continue
        mates = codes[np.searchsorted(codes, home[:15]) : np.searchsorted(codes, home[:15] + "~")]
        others = mates[mates != home]
        if len(others):
            chosen.append(at)
            excluded.append(str(others[int(draw / _EXCLUDED * len(others))]))
    rows = _keys(members, np.array(chosen, dtype=np.int64))
    reasons = random.choice(_REASONS, len(rows))
    return _with_ids(
        rows.assign(stairwell_code=excluded, reason=reasons, since=date(2020, 1, 1)), random
    )
