"""What an address says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Address:
    """An address in parts; a part that it does not name is empty.

    Attributes
    ----------
    area
        Administrative names in front: 佛山市南海区桂城街道.
    street
        Road or lane, with its number where it has one: 桂园路12号.
    compound
        Name of the compound as written; :func:`normalise_name` makes it comparable.
    buildings, stairwells
        Names without their words, in canonical spelling ("3" for 三栋, 03幢 and 3号楼; "A" for
        Ａ座), in the order written, ranges expanded, each once.
    floor
        Storey: 3 for 3楼.
    room
        Room: 302, 302-1, A302. Storey and short number are joined: 3楼2室 is 302.
    is_numbered
        Whether the building is only given as a number with 号, which may be another numbering than
        that of the buildings.
    rest
        What was not understood, blank-separated. Free text: it may name people.

    Examples
    --------
    >>> from geodata.addresses import parse_address
    >>> address = parse_address("桂园路１２号翠湖花园三栋二单元３０２室")
    >>> address.street, address.compound, address.buildings, address.stairwells, address.room
    ('桂园路12号', '翠湖花园', ('3',), ('2',), '302')
    """

    area: str = ""
    street: str = ""
    compound: str = ""
    buildings: tuple[str, ...] = ()
    stairwells: tuple[str, ...] = ()
    floor: str = ""
    room: str = ""
    is_numbered: bool = False
    rest: str = ""
