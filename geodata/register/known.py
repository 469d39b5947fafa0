"""The stairwells of a territory, found by the names of compound, building and stairwell."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache

from pandas import DataFrame

from geodata.addresses import Address, is_none_word, normalise_name, parse_address, parse_parts
from geodata.errors import InvalidParameterError

NEEDED = ("code", "compound_name", "building_name", "stairwell_name")
_BETWEEN_ALIASES = re.compile(r"[;；、,，|\n]+")

Stairwells = dict[str, list[str]]
"""Name of a stairwell to codes; "" is one without a name."""


class Known:
    """Names to codes, in the spelling in which addresses are compared.

    Parameters
    ----------
    stairwells
        ``code``, ``compound_name``, ``building_name``, ``stairwell_name`` and, if there,
        ``aliases``: see :func:`geodata.register.match_households`.

    Raises
    ------
    InvalidParameterError
        A column is missing, or a code stands twice.
    """

    def __init__(self, stairwells: DataFrame) -> None:
        missing = [name for name in NEEDED if name not in stairwells.columns]
        if missing:
            raise InvalidParameterError("stairwells", missing, "a frame that has these columns")
        if stairwells["code"].duplicated().any():
            twice = stairwells.loc[stairwells["code"].duplicated(), "code"].iloc[0]
            raise InvalidParameterError("stairwells", twice, "a frame that has each code once")
        self.compounds: dict[str, dict[str, Stairwells]] = {}
        self.titles: dict[str, str] = {}
        self.codes: set[str] = set()
        self.numbered: set[tuple[str, str]] = set()
        self._by_street: dict[str, list[tuple[str, str]]] = defaultdict(list)
        has_aliases = "aliases" in stairwells.columns
        columns = [*NEEDED, "aliases"] if has_aliases else [*NEEDED]
        for code, compound, building, stairwell, *aliases in stairwells[columns].itertuples(
            index=False, name=None
        ):
            self._add(str(code), _text(compound), _text(building), _text(stairwell), *aliases)

    def buildings_on(self, street: str) -> list[tuple[str, str]]:
        """Return compound and building of what is named by a street and number."""
        return list(dict.fromkeys(self._by_street.get(normalise_name(street), [])))

    def _add(
        self, code: str, compound: str, building: str, stairwell: str, aliases: object = None
    ) -> None:
        name = _compound_key(compound)
        key, is_numbered, is_street = _building(building)
        last = _stairwell_key(stairwell)
        self.codes.add(code)
        self.titles.setdefault(name, compound)
        self._put(name, key, last, code)
        if is_numbered:
            self.numbered.add((name, key))
        if is_street:
            self._by_street[normalise_name(building)].append((name, key))
        for alias in _aliases(aliases):
            self._add_alias(alias, code, name, key, last)

    def _add_alias(self, alias: str, code: str, name: str, building: str, last: str) -> None:
        """Add another name of a compound, or another address of a stairwell."""
        read = parse_address(alias)
        if read.buildings or read.stairwells:
            other = normalise_name(read.compound or read.street) or name
            key = building_key(read, alias) if read.buildings else building
            self._put(other, key, "、".join(read.stairwells) or last, code)
        elif read.street:
            self._by_street[normalise_name(read.street)].append((name, building))
        else:
            other = normalise_name(alias)
            self.titles.setdefault(other, alias)
            self._put(other, building, last, code)

    def _put(self, compound: str, building: str, stairwell: str, code: str) -> None:
        buildings = self.compounds.setdefault(compound, {})
        codes = buildings.setdefault(building, {}).setdefault(stairwell, [])
        if code not in codes:
            codes.append(code)


def building_key(read: Address, text: str) -> str:
    """Return the name under which a building is found; one named "1-3栋" has that of its range."""
    return "、".join(read.buildings) if read.buildings else normalise_name(text)


# The names of a territory are few, and each stands at many of its stairwells.
_compound_key = lru_cache(maxsize=16_384)(normalise_name)


@lru_cache(maxsize=16_384)
def _building(text: str) -> tuple[str, bool, bool]:
    """Return the name of a building, and whether it is a number with 号, or on a street."""
    key = building_key(parse_parts(building=text), text)
    is_numbered = re.fullmatch(r"\s*[A-Za-z0-9]+\s*号\s*", text) is not None
    return key, is_numbered, bool(parse_address(text).street)


@lru_cache(maxsize=16_384)
def _stairwell_key(text: str) -> str:
    if is_none_word(text):
        return ""
    names = parse_parts(stairwell=text).stairwells
    return "、".join(names) if names else normalise_name(text)


def _aliases(aliases: object) -> Iterator[str]:
    """Return other names from a text that lists them, or from a list."""
    if isinstance(aliases, str):
        yield from filter(None, map(str.strip, _BETWEEN_ALIASES.split(aliases)))
    elif isinstance(aliases, Iterable):
        yield from (str(alias).strip() for alias in aliases if str(alias).strip())


def _text(name: object) -> str:
    """Return a name as text, "" where it is missing."""
    return name if isinstance(name, str) else "" if name is None or name != name else str(name)
