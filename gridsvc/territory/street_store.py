"""The query of a sub-district's name."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from gridsvc.territory.tables import StreetRow


def find_name(session: Session, street_code: int) -> str | None:
    """Return what a sub-district is called; None where there is no such."""
    return session.scalar(select(StreetRow.name).where(StreetRow.code == street_code))
