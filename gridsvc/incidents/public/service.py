"""What somebody without an account may know of incidents.

As in `gridsvc.incidents`, nothing is committed here. Reads run as role resident: what is not
public cannot be read at all, and is answered as what does not exist.
"""

from uuid import UUID

from sqlalchemy.orm import Session

from geodata.categories import Category
from gridsvc.errors import NotFoundError, UnfitServiceRequestError
from gridsvc.incidents import service as incidents
from gridsvc.incidents.public import store
from gridsvc.incidents.public.model import Jurisdiction, PublicIncident, PublicQuery


def list_jurisdictions(session: Session) -> list[Jurisdiction]:
    """Return the sub-districts that are served, by code."""
    return store.list_jurisdictions(session)


def get_jurisdiction(session: Session, code: str | None) -> Jurisdiction:
    """Return the sub-district of a code; without one, the only one there is.

    Raises
    ------
    NotFoundError
        There is none of this code.
    UnfitServiceRequestError
        There are several, and no code.
    """
    known = store.list_jurisdictions(session)
    if code is None and len(known) == 1:
        return known[0]
    if code is None and known:
        raise UnfitServiceRequestError(["jurisdiction_id was not provided."])
    for one in known:
        if str(one.code) == code:
            return one
    raise NotFoundError("jurisdiction", "of this id" if code else "is served")


def list_services(session: Session) -> list[Category]:
    """Return the categories that everybody may report and read, in the catalogue's order."""
    return [one for one in incidents.list_categories(session) if one.is_public]


def get_service(session: Session, code: str) -> Category:
    """Return one of them.

    Raises
    ------
    NotFoundError
        There is none in use, or it is not for everybody.
    """
    for category in list_services(session):
        if category.code == code:
            return category
    raise NotFoundError("service", "of this code")


def list_public(session: Session, query: PublicQuery) -> list[PublicIncident]:
    """Return public incidents, the newest first.

    Their number is no secret; that of the others cannot be had from it (docs/DECISIONS.md).
    """
    return store.list_public(session, query)


def get_public(session: Session, incident_id: UUID) -> PublicIncident:
    """Return one incident.

    Raises
    ------
    NotFoundError
        There is none, or it is not for everybody: nobody is told which.
    """
    found = store.list_public(session, PublicQuery(ids=[incident_id], limit=1))
    if not found:
        raise NotFoundError("service request", "of this id")
    return found[0]
