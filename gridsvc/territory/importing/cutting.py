"""Buildings of an import that have no stairwells yet, cut into some."""

from pandas import Series
from sqlalchemy.orm import Session

from geodata.codes import BUILDING_DIGITS, STAIRWELL_DIGITS, next_codes
from geodata.stairwells import along_spine, split_footprints
from gridsvc.territory.importing import store
from gridsvc.territory.importing.model import TerritoryImport


def cut_stairwells(session: Session, found: TerritoryImport) -> int:
    """Cut every building of an applied import that has no stairwell, and return how many came.

    Stated counts stand; elsewhere a stairwell is as long as people build them. Households are
    unknown, and so 0, until a register says how many there are.
    """
    buildings = store.read_uncut(session, found.street_code, found.id)
    if buildings.empty:
        return 0
    counts = buildings["stairwell_count"].astype("Int64")
    pieces = split_footprints(buildings, entrances=None, counts=counts)
    parents = Series(
        buildings["code"].loc[pieces["building"]].to_numpy(), index=pieces.index, dtype="str"
    )
    taken = store.stairwell_codes_ever(session, found.street_code, list(buildings["code"]))
    digits = STAIRWELL_DIGITS - BUILDING_DIGITS
    codes = next_codes(parents, along_spine(pieces), digits=digits, taken=taken)
    names = codes.str[-digits:].astype("int64").astype("str") + "梯"
    stairwells = pieces[["geometry"]].assign(code=codes, name=names)
    return store.add_stairwells(session, stairwells, valid_from=found.valid_from)
