"""Sub-districts, which are no secret: every stairwell notice names its own."""

from sqlalchemy.orm import Session

from geodata.codes import street_of
from gridsvc.territory import street_store


def name_of(session: Session, community_code: int) -> str:
    """Return what the sub-district of a community is called; its code where nothing is known."""
    code = street_of(community_code)
    return street_store.find_name(session, code) or str(code)
