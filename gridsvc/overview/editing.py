"""Corrections of territory with what hangs on it: contacts, homes and posts follow their grids."""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy.orm import Session

from geodata.codes import STAIRWELL_DIGITS, community_of
from gridsvc.contacts import service as contacts
from gridsvc.people import service as people
from gridsvc.territory.editing import service as editing
from gridsvc.territory.editing.model import Edit, Piece


def split(
    session: Session,
    code: str,
    pieces: Sequence[Piece],
    *,
    version: int,
    reason: str,
    on: date | None = None,
) -> Edit:
    """Split a grid; see `gridsvc.territory.editing.service.split`."""
    edit = editing.split(session, code, pieces, version=version, reason=reason, on=on)
    return _follow(session, edit)


def merge(
    session: Session,
    versions: Mapping[str, int],
    *,
    name: str,
    reason: str,
    on: date | None = None,
) -> Edit:
    """Merge grids; see `gridsvc.territory.editing.service.merge`."""
    edit = editing.merge(session, versions, name=name, reason=reason, on=on)
    return _follow(session, edit)


def void(session: Session, code: str, *, version: int, reason: str, on: date | None = None) -> Edit:
    """End a grid; see `gridsvc.territory.editing.service.void`. Its contacts end with it."""
    return _follow(session, editing.void(session, code, version=version, reason=reason, on=on))


def _follow(session: Session, edit: Edit) -> Edit:
    """Let people go where their grids went."""
    community_code = community_of(edit.retired[0])
    shares = [(one.predecessor_code, one.successor_code, one.share) for one in edit.descents]
    people.follow_grids(session, community_code=community_code, descents=shares)
    contacts.follow_grids(
        session,
        community_code=community_code,
        ended=[code for code in edit.retired if len(code) == STAIRWELL_DIGITS],
        descents=[(old, new) for old, new, _ in shares if len(new) == STAIRWELL_DIGITS],
        on=edit.on,
    )
    return edit
