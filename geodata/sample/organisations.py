"""Party branches, associations, groups, chief teams and societies of the sample."""

import numpy as np
from numpy.random import Generator
from pandas import DataFrame, Series

from geodata.apportionment import apportion
from geodata.sample.chance import Floats, Ints, stream, uuid7_texts
from geodata.sample.frames import FOUNDED_MS
from geodata.sample.settlement import Settlement
from geodata.sample.town import load_words

_NAMES = {
    "party_branch": "党支部",
    "mutual_aid_association": "街坊志愿互助会",
    "self_governance_group": "自治小组",
    "chief_team": "楼长队",
}
_PEOPLE = {
    "party_branch": 18,
    "mutual_aid_association": 24,
    "self_governance_group": 11,
    "chief_team": 22,
    "society": 13,
}
_LEAST_PEOPLE = 3
_OF_COMMUNITY = 0.15


def make_organisations(settlement: Settlement, *, seed: int, scale: float) -> DataFrame:
    """Return the organisations frame, by id.

    Parameters
    ----------
    settlement
        The town.
    seed, scale
        As `geodata.sample.make_sample`.

    Returns
    -------
    DataFrame
        As `geodata.sample.Sample`. An association or society without a compound is the
        community's own.
    """
    random = stream(seed, "organisations")
    counts = settlement.town.counts
    tables = []
    for kind, count in counts["organisations"].items():
        compound, community = _places(settlement, kind, round(count * scale), random)
        tables.append((kind, compound, community))
    kinds = np.repeat([kind for kind, _, _ in tables], [len(places) for _, places, _ in tables])
    compound = np.concatenate([places for _, places, _ in tables])
    community = np.concatenate([places for _, _, places in tables])
    weights = np.array([_PEOPLE[kind] for kind in kinds.tolist()])
    weights = weights * random.lognormal(0, 0.35, len(kinds))
    people = apportion(
        round(counts["people_in_organisations"] * scale), weights, least=_LEAST_PEOPLE
    )
    codes = settlement.compounds["code"].to_numpy()
    towns = np.array([row.code for row in settlement.town.communities], dtype=np.int64)
    frame = DataFrame(
        {
            "id": uuid7_texts(np.full(len(kinds), FOUNDED_MS), random=random),
            "community_code": towns[community],
            "compound_code": Series(codes[compound], dtype="str").mask(compound < 0),
            "kind": kinds,
            "name": _names(settlement, kinds.tolist(), compound, community),
            "people": people,
        }
    )
    return frame.sort_values("id").reset_index(drop=True)


def _places(settlement: Settlement, kind: str, count: int, random: Generator) -> tuple[Ints, Ints]:
    """Return the compound (-1: none) and community of each organisation of a kind."""
    home = settlement.compounds["community"].to_numpy()
    size = np.bincount(settlement.stairwells["compound"], minlength=len(home)).astype(float)
    if kind == "society":
        return _societies(settlement, count, size, random)
    communities = len(settlement.town.communities) if kind == "mutual_aid_association" else 0
    own = np.arange(min(communities, count))
    rest = count - len(own)
    order = _draw(size, random)
    published = np.array([plan.published for plan in settlement.plan.compounds])
    order = order[np.argsort(~published[order], kind="stable")]
    compound = np.resize(order, rest)
    return (
        np.concatenate([np.full(len(own), -1), compound]),
        np.concatenate([own, home[compound]]),
    )


def _societies(
    settlement: Settlement, count: int, size: Floats, random: Generator
) -> tuple[Ints, Ints]:
    """Return the places of societies: published numbers exactly, the rest by size."""
    home = settlement.compounds["community"].to_numpy()
    fixed = np.array([plan.societies or 0 for plan in settlement.plan.compounds])
    named = np.repeat(np.arange(len(home)), fixed)
    free = max(count - len(named), 0)
    weights = np.where(fixed > 0, 0.0, size) * random.lognormal(0, 0.6, len(size))
    drawn = random.choice(len(home), free, p=weights / weights.sum())
    compound = np.concatenate([named, drawn])
    of_community = random.random(len(compound)) < _OF_COMMUNITY
    of_community[: len(named)] = False
    return np.where(of_community, -1, compound), home[compound]


def _draw(size: Floats, random: Generator) -> Ints:
    """Return compounds in an order by chance, large ones rather early."""
    return np.argsort(random.exponential(1, len(size)) / size, kind="stable")


def _names(settlement: Settlement, kinds: list[str], compound: Ints, community: Ints) -> list[str]:
    """Return names; later ones that would be the same get a number."""
    plans = settlement.plan.compounds
    communities = settlement.town.communities
    societies = load_words()["societies"]
    seen: dict[str, int] = {}
    names = []
    for turn, kind in enumerate(kinds):
        place = int(compound[turn])
        owner = plans[place].name if place >= 0 else communities[int(community[turn])].name + "社区"
        count = seen.get(owner + kind, 0)
        seen[owner + kind] = count + 1
        if kind == "society":
            offset = place if place >= 0 else int(community[turn])
            name = societies[(offset * 5 + count) % len(societies)]
            count //= len(societies)
        else:
            name = _NAMES[kind]
        names.append(owner + name + (f"{count + 1}" if count else ""))
    return names
