"""An address that comes in columns: each cell may hold more than its heading says."""

from dataclasses import replace
from functools import lru_cache

from geodata.addresses.model import Address
from geodata.addresses.parsing import LONGEST, canonical_room, listed_names, parse_address
from geodata.addresses.patterns import ROOM_ALONE, TWO
from geodata.addresses.text import clean, is_none_word, normalise_name

_BUILDING_WORDS = ("楼", "号", "")
_STAIRWELL_WORDS = ("号", "")
_PARTS = ("compound", "buildings", "stairwells", "room")


def parse_parts(
    *,
    address: str = "",
    compound: str = "",
    building: str = "",
    stairwell: str = "",
    room: str = "",
) -> Address:
    """Read an address from columns, some or all of which may be empty.

    Parameters
    ----------
    address
        One text for all of it; fills what the parts do not say.
    compound, building, stairwell, room
        Cells of the part; the words 栋, 单元, 室 may be missing, or more than the part be there
        ("3栋2单元" as the building, "2-302" as the room).

    Returns
    -------
    Address
        Where two cells contradict each other, the part's own cell stands, and what the other says
        is in ``rest``.

    Examples
    --------
    >>> parse_parts(compound="翠湖花园", building="1-3", stairwell="无").buildings
    ('1', '2', '3')
    >>> parse_parts(building="3", room="2-302").stairwells
    ('2',)
    >>> parse_parts(building="3", address="翠湖花园5栋").rest
    '5'
    """
    read = [
        _compound(compound),
        _names_of(building, "buildings", _BUILDING_WORDS),
        _names_of(stairwell, "stairwells", _STAIRWELL_WORDS),
        _room(room, has_building=not is_none_word(building)),
        parse_address(address),
    ]
    whole = Address()
    for part in read:
        whole = _joined(whole, part)
    return whole


@lru_cache(maxsize=8192)
def _compound(text: str) -> Address:
    """Read the cell of a compound; its name may end in a number, as 滨江1号 does."""
    if is_none_word(text):
        return Address()
    read = parse_address(text)
    if read.compound and not read.is_numbered and not read.rest and not read.room:
        return read
    return Address(compound=clean(text)[:LONGEST])


@lru_cache(maxsize=8192)
def _names_of(text: str, part: str, words: tuple[str, ...]) -> Address:
    """Read a cell of buildings or stairwells, with or without their word."""
    if is_none_word(text):
        return Address()
    cell = clean(text)[:LONGEST]
    for word in words:
        names = listed_names(cell.removesuffix(word)) if cell.endswith(word) else None
        if names:
            return Address(buildings=names) if part == "buildings" else Address(stairwells=names)
    read = parse_address(text)
    if read.buildings or read.stairwells or read.street or read.room or read.floor:
        return replace(read, is_numbered=False)
    own = (normalise_name(text)[:LONGEST],)  # 综合楼: a name of its own, not a missing one
    return Address(buildings=own) if part == "buildings" else Address(stairwells=own)


def _room(text: str, *, has_building: bool) -> Address:
    """Read the cell of a room, which may name the stairwell, or the building as well."""
    if is_none_word(text):
        return Address()
    cell = clean(text)[:LONGEST]
    is_alone = TWO.fullmatch(cell.rstrip("室房")) is None
    if is_alone and (found := ROOM_ALONE.fullmatch(cell)):
        return Address(room=canonical_room(found["room"]))
    if not has_building:
        return parse_address(text)
    behind = parse_address(f"1栋{cell}")
    if behind.buildings == ("1",):
        return replace(behind, buildings=())
    return parse_address(text)


def _joined(whole: Address, more: Address) -> Address:
    """Fill gaps of an address from another; what contradicts goes to the rest."""
    rest = [whole.rest, more.rest]
    filled = {}
    for part in ("area", "street", "floor", *_PARTS):
        have, new = getattr(whole, part), getattr(more, part)
        if not have:
            filled[part] = new
        elif new and new != have and part in ("buildings", "stairwells"):
            rest.append("、".join(new))
        elif new and new != have and part == "room":
            rest.append(new)
    is_numbered = whole.is_numbered if whole.buildings else more.is_numbered
    return replace(
        whole, **filled, is_numbered=is_numbered, rest=" ".join(text for text in rest if text)
    )
