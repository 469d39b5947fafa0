"""An address in one text, parted by its own words: 栋, 单元, 室 and their many relatives.

What is recognised is taken out, word by word, and so parts may stand in any order; the name of the
compound is what remains. Where a spelling could mean two things, it is left in ``rest``.
"""

import re

from geodata.addresses.model import Address
from geodata.addresses.numerals import DIRECTIONS, NAME, SPELLED_OUT, canonical, expand
from geodata.addresses.patterns import (
    AREA,
    AREA_END,
    BEFORE_ROOM,
    BETWEEN,
    BRACKETS,
    BUILDINGS,
    COMPOUND,
    DASHED_END,
    HOUSE_NUMBER,
    LISTED,
    LISTED_WORDS,
    ONLY_NAMES_LEFT,
    PAIR,
    PART,
    PHASE,
    PLACE_WORD,
    ROOM_BEHIND,
    ROOM_BY_NUMBER,
    ROOM_BY_WORD,
    STAIRWELLS,
    STOREY,
    STREET,
    TAKEN,
    THREE,
    TWO,
    TWO_BEHIND,
    TWO_CHINESE,
)
from geodata.addresses.text import clean, is_none_word

LONGEST = 200
"""No address is longer; text beyond is not read."""


def parse_address(text: str) -> Address:
    """Read the parts of an address.

    Parameters
    ----------
    text
        As written: any width of digits, Chinese numerals, ranges ("1-10幢", "1-5;7-10栋"), parts in
        any order, "3-2-302". 无, — and / say that there is none. What stands beyond 200 signs is
        not read, and makes all of it not understood.

    Returns
    -------
    Address
        ``rest`` has what was not understood, or could mean two things.

    Examples
    --------
    >>> parse_address("翠湖花园1-3栋").buildings
    ('1', '2', '3')
    >>> parse_address("翠湖花园3-2-302").stairwells
    ('2',)
    >>> parse_address("翠湖花园3-2").rest
    '3-2'
    >>> parse_address("无")
    Address(area='', street='', compound='', buildings=(), stairwells=(), floor='', room='', \
is_numbered=False, rest='')
    """
    if is_none_word(text):
        return Address()
    if len(text) > LONGEST:
        return Address(rest=text)
    return _Reading(clean(text)).address()


class _Reading:
    """A text from which parts are taken, one kind after the other."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.area = self.street = self.floor = self.room = ""
        self.buildings: tuple[str, ...] = ()
        self.stairwells: tuple[str, ...] = ()
        self.is_numbered = False
        self.rest: list[str] = []

    def address(self) -> Address:
        """Take every part, and name what remains."""
        self._open_brackets()
        self._take_area()
        self._take_street()
        self.buildings = self._take_names(BUILDINGS)
        self._take_stairwells()
        self._take_room_by_word()
        self._take_storey()
        self._take_dense()
        self._take_numbers()
        self._join_storey_and_room()
        compound = self._take_compound()
        rest = " ".join(filter(None, self.rest))
        return Address(
            area=self.area,
            street=self.street,
            compound=compound,
            buildings=self.buildings,
            stairwells=self.stairwells,
            floor=self.floor,
            room=self.room,
            is_numbered=self.is_numbered,
            rest=rest,
        )

    def _take(self, found: re.Match[str]) -> None:
        self.text = f"{self.text[: found.start()]}{TAKEN}{self.text[found.end() :]}"

    def _open_brackets(self) -> None:
        """Read phases and numbers in brackets as if they stood without; the rest is a remark."""

        def opened(found: re.Match[str]) -> str:
            inside = found[1].strip()
            if PHASE.fullmatch(inside):
                return inside
            if PART.search(inside):
                return f" {inside} "
            self.rest.append(inside)
            return " "

        self.text = BRACKETS.sub(opened, self.text).strip()

    def _take_area(self) -> None:
        found = AREA.match(self.text)
        left = self.text[found.end() :] if found else ""
        # 桂园社区3栋: with nothing left to be the compound, it is the compound.
        if found and found[0] and AREA_END.match(left) and not ONLY_NAMES_LEFT.match(left):
            self.area = re.sub(r"[\s,]+", "", found[0])
            self.text = left

    def _take_street(self) -> None:
        found = STREET.search(self.text)
        if not found:
            return
        number = found["number"] or ""
        left = self.text[found.end() :]
        before = self.text[: found.start()]
        has_compound = before.strip() or TWO_CHINESE.match(left)
        # 桂园路12号大院 is a compound, and so is 金街, if nothing else is.
        if PLACE_WORD.match(left) or not (number or has_compound):
            return
        self.street = f"{found['road']}{number}"
        self._take(found)

    def _take_names(self, pattern: re.Pattern[str]) -> tuple[str, ...]:
        """Take every list of names of one kind; lists that make no sense go to the rest."""
        names: list[str] = []
        while found := pattern.search(self.text):
            listed = listed_names(found[1])
            if listed is None:
                self.rest.append(found[0])
            names += listed or ()
            self._take(found)
        return tuple(dict.fromkeys(names))

    def _take_stairwells(self) -> None:
        """Take the stairwells; of 3-2单元 without a building, 3 is the building."""
        found = None if self.buildings else STAIRWELLS.search(self.text)
        pair = PAIR.fullmatch(found[1]) if found else None
        if found and pair:
            first, second = canonical(pair[1]), canonical(pair[2])
            self._take(found)
            if expand(first, second) is None:
                self.buildings, self.stairwells = (first,), (second,)
            else:
                self.rest.append(found[0])
            return
        self.stairwells = self._take_names(STAIRWELLS)

    def _take_room_by_word(self) -> None:
        if not (found := ROOM_BY_WORD.search(self.text)):
            return
        if BEFORE_ROOM.search(self.text[: found.start()]) or TWO.fullmatch(found["room"]):
            # 3-2-302室, 2-302室: what stands before the room is read as without the word.
            self.text = self.text[: found.end("room")] + " " + self.text[found.end() :]
            return
        self.room = canonical_room(found["room"])
        self._take(found)

    def _take_storey(self) -> None:
        """Take 3楼, which is a storey or a building."""
        while found := STOREY.search(self.text):
            name = canonical(found["name"])
            if found["word"] == "楼" and self._is_building(found, name):
                self.buildings = (name,)
            elif not self.floor:
                self.floor = name
            else:
                self.rest.append(found[0])
            self._take(found)

    def _is_building(self, found: re.Match[str], name: str) -> bool:
        if self.buildings:
            return False
        left = self.text[found.end() :]
        if self.stairwells:
            return TAKEN not in self.text[: found.start()]
        if STOREY.search(left):
            return True
        bare = ROOM_BEHIND.match(TAKEN + left, 1)
        room = self.room or (bare["room"] if bare else "")
        if room:
            return room[:-2].isdigit() and room[:-2].lstrip("0") != name
        return not self.street and not left.strip(f" {TAKEN}")

    def _take_dense(self) -> None:
        """Take 3-2-302, 3-302, and 2-302 behind a building."""
        if not self.buildings and not self.stairwells and not self.room:
            if found := THREE.search(self.text):
                self.buildings, self.stairwells = (canonical(found[1]),), (canonical(found[2]),)
                self.room = canonical_room(found[3])
                self._take(found)
            elif found := TWO.search(self.text):
                self.buildings, self.room = (canonical(found[1]),), canonical_room(found[2])
                self._take(found)
            return
        is_alone = bool(self.buildings) and not self.stairwells and not self.room
        if is_alone and (found := TWO_BEHIND.search(self.text)):
            self.stairwells, self.room = (canonical(found[1]),), canonical_room(found[2])
            self._take(found)

    def _take_numbers(self) -> None:
        """Take 12号: a room behind a building, else the number of a house; then a bare room."""
        is_known = bool(self.buildings or self.stairwells)
        if is_known and not self.room and (found := ROOM_BY_NUMBER.search(self.text)):
            self.room = canonical_room(found["room"])
            self._take(found)
        if not self.buildings and not self.street and (found := HOUSE_NUMBER.search(self.text)):
            self.buildings, self.is_numbered = (canonical(found["name"]),), True
            self._take(found)
        if not self.room and (found := ROOM_BEHIND.search(self.text)):
            self.room = canonical_room(found["room"])
            self._take(found)

    def _join_storey_and_room(self) -> None:
        if self.floor.isdigit() and self.room.isdigit() and len(self.room) <= 2:
            self.room = f"{self.floor}{int(self.room):02d}"

    def _take_compound(self) -> str:
        """Return the first text that remains and can be a name; the others are not understood."""
        compound = ""
        for piece in re.split(r"[\s,;|、/]+", self.text):
            bare = piece.strip("-.:。·'\"“”#第")
            if (odd := DASHED_END.search(bare)) and not compound:
                self.rest.append(odd[0])
                bare = bare[: odd.start()]
            if not compound and COMPOUND.search(bare):
                compound = bare
            elif bare:
                self.rest.append(bare)
        return compound


def listed_names(listed: str) -> tuple[str, ...] | None:
    """Return the names of a list such as 1、3-5, or None where it is none, or has no sense."""
    if not LISTED.fullmatch(listed):
        return None
    names: list[str] = []
    for item in re.split(BETWEEN, listed):
        bare = LISTED_WORDS.sub("", item)
        if re.fullmatch(rf"{NAME}|[{DIRECTIONS}]", bare):
            names.append(canonical(bare))
            continue
        first, _, last = bare.partition("-")
        ends = canonical(first), canonical(last)
        between = expand(*ends)
        if between is None and not _is_double_name(*ends):
            return None
        names += between or (f"{ends[0]}-{ends[1]}",)
    return tuple(names)


def _is_double_name(first: str, last: str) -> bool:
    """Return whether 10-1 is a name of its own: part one of building ten, not a range."""
    return first.isdigit() and last.isdigit() and int(first) >= int(last)


def canonical_room(room: str) -> str:
    """Return the one spelling of a room: 0302 is 302."""
    if re.fullmatch(SPELLED_OUT, room):
        return canonical(room)
    return re.sub(r"^0(?=\d{3})", "", room)
