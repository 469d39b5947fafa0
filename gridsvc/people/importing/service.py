"""Bringing a list of members in: `examine` tells what would become of each row, `apply` does it.

A row is taken whole or not at all; a row with an error stops none of the others. The same list
again changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from geodata.columns import normalised_name
from geodata.register.members import MemberFault, MemberList, MemberRecord
from gridsvc.access import service as access
from gridsvc.access.model import STAFF_ROLES
from gridsvc.audit import service as audit
from gridsvc.db import new_id
from gridsvc.errors import InvalidMemberError
from gridsvc.local_time import local_today
from gridsvc.people import store as people
from gridsvc.people.importing import store
from gridsvc.people.importing.homes import Place, find_places
from gridsvc.people.importing.known import Known, differences
from gridsvc.people.importing.model import KnownMember, Line, Report
from gridsvc.people.register import service as register
from gridsvc.people.register import store as register_store
from gridsvc.people.register.checking import check
from gridsvc.people.register.model import Home, Hours
from gridsvc.people.tables import AbsenceRow, ConsentRow, HoursRow
from gridsvc.vault import Vault

_DEFAULTS: Mapping[str, int] = {"capacity_households": 15, "capacity_stairwells": 2}
"""What a member of a list without such a column can carry: our settings of a plan."""

_KINDS: Mapping[str, str] = {
    "name": "no-name",
    "capacity_households": "bad-capacity",
    "capacity_stairwells": "bad-capacity",
    "consented_on": "bad-date",
    "reported_in_on": "bad-date",
}
_DAY = timedelta(days=1)


def examine(session: Session, found: MemberList, *, vault: Vault) -> Report:
    """Tell what a list would do to the register of the caller's territory; nothing is written.

    Returns
    -------
    Report
        A line for each row of a person, and what is wrong with which row.
    """
    access.require_role(session, *STAFF_ROLES, "job")
    return _Examination(session, found, vault).report()


class _Examination:
    """A list beside the register."""

    def __init__(self, session: Session, found: MemberList, vault: Vault) -> None:
        self.found = found
        self.vault = vault
        self.places = find_places(
            found.records, store.read_stairwells(session), store.read_communities(session)
        )
        self.known = Known(store.read_known(session, on=local_today()), vault)
        self.branches: dict[tuple[int, str], list[UUID]] = {}
        for branch in register_store.list_branches(session):
            key = (branch.community_code, normalised_name(branch.name))
            self.branches.setdefault(key, []).append(branch.id)
        self.faults = list(found.faults)
        self.rejected = {fault.row for fault in found.faults if fault.severity == "error"}
        self.first_rows: dict[tuple[object, ...], int] = {}

    def report(self) -> Report:
        """Return what becomes of each row."""
        lines = [
            self._line(record, place)
            for record, place in zip(self.found.records, self.places, strict=True)
        ]
        notes = list(self.found.notes)
        columns = self.found.mapping.columns
        notes += [
            f"No column is {name}: {most} is taken."
            for name, most in _DEFAULTS.items()
            if name not in columns
        ]
        faults = sorted(self.faults, key=lambda fault: fault.row)
        return Report(tuple(lines), tuple(faults), dict(columns), tuple(notes))

    def _note(self, row: int, field: str, kind: str, reason: str, *, is_error: bool = True) -> None:
        self.faults.append(
            MemberFault(row, field, "error" if is_error else "warning", kind, reason)
        )
        if is_error:
            self.rejected.add(row)

    def _line(self, record: MemberRecord, place: Place) -> Line:
        row = record.row
        if place.home is None:
            self._note(row, "address", place.kind or "no-home", place.reason)
        elif place.kind:
            self._note(row, "address", place.kind, place.reason, is_error=False)
        fields = self._fields(record)
        if row in self.rejected or place.home is None or place.community_code is None:
            return Line(row, "rejected")
        code = place.community_code
        fields |= {"community_code": code, "home": place.home}
        fields["branch_id"] = self._branch(record, code)
        return self._compared(record, code, place.home, fields)

    def _fields(self, record: MemberRecord) -> dict[str, Any]:
        """Return the checked fields of a row; what cannot be is noted."""
        columns = self.found.mapping.columns
        given: dict[str, Any] = {
            "name": record.name or "",
            "phone": record.phone,
            "affiliation": record.affiliation,
            "capacity_households": record.capacity_households,
            "capacity_stairwells": record.capacity_stairwells,
            "reported_in_on": record.reported_in_on,
            "skills": record.skills,
            "dialects": record.dialects,
            "hours": tuple(Hours(*span) for span in record.spans),
            "consented_on": record.consented_on,
        }
        given |= {name: most for name, most in _DEFAULTS.items() if name not in columns}
        self._note_missing(record, given)
        checked: dict[str, Any] = {}
        for name, value in given.items():
            if value is None:
                checked[name] = None
                continue
            try:
                checked |= check({name: value})
            except InvalidMemberError as error:
                self._note(record.row, name, _KINDS.get(name, "unreadable-value"), str(error))
        return checked

    def _note_missing(self, record: MemberRecord, given: Mapping[str, Any]) -> None:
        noted = {fault.field for fault in self.faults if fault.row == record.row}
        for name, kind, reason in (
            ("affiliation", "unknown-affiliation", "The affiliation (政治面貌) is missing."),
            ("capacity_households", "bad-capacity", "How many households is missing."),
            ("capacity_stairwells", "bad-capacity", "How many stairwells is missing."),
            ("consented_on", "no-consent", "The day of consent (同意日期) is missing."),
        ):
            if given[name] is None and name not in noted:
                self._note(record.row, name, kind, reason)
        if given["phone"] is None and "phone" not in noted:
            reason = "There is no phone: the member is found again by name and home only."
            self._note(record.row, "phone", "no-phone", reason, is_error=False)

    def _branch(self, record: MemberRecord, code: int) -> UUID | None:
        if record.branch is None:
            return None
        found = self.branches.get((code, normalised_name(record.branch)), [])
        if len(found) == 1:
            return found[0]
        why = "is none" if not found else f"are {len(found)}"
        reason = f"There {why} of this name in community {code}: the row is taken without a branch."
        self._note(record.row, "branch", "unknown-branch", reason, is_error=False)
        return None

    def _compared(
        self, record: MemberRecord, code: int, home: Home, fields: dict[str, Any]
    ) -> Line:
        """Return whether a person who can be taken is new, different or the same."""
        row, phone = record.row, record.phone
        key = (code, phone) if phone else (code, fields["name"], home)
        first = self.first_rows.setdefault(key, row)
        if first != row:
            what = "phone" if phone else "name and home"
            self._note(row, "name", "twice", f"The {what} of row {first:,} stands here again.")
            return Line(row, "rejected")
        mates = self.known.find(code, fields["name"], phone, home)
        if len(mates) > 1:
            reason = f"The register has {len(mates)} members like this one: merge them first."
            self._note(row, "name", "several-members", reason)
            return Line(row, "rejected")
        if not mates:
            return Line(row, "added", code, new_id(), fields, record.away, record.consented_on)
        return self._of_known(record, mates[0], fields)

    def _of_known(self, record: MemberRecord, known: KnownMember, fields: dict[str, Any]) -> Line:
        changed = differences(known, fields, phone=record.phone)
        if known.withdrawn_on and (record.consented_on or known.withdrawn_on) < known.withdrawn_on:
            reason = f"The member withdrew consent on {known.withdrawn_on}: ask for a newer one."
            self._note(record.row, "consented_on", "consent-withdrawn", reason)
            return Line(record.row, "rejected")
        away = tuple(one for one in record.away if one not in known.away)
        consented_on = None if known.has_consent else record.consented_on
        outcome = "changed" if changed or away or consented_on else "same"
        return Line(
            record.row,
            outcome,  # type: ignore[arg-type]
            known.community_code,
            known.member_id,
            changed,
            away,
            consented_on,
        )


def apply(session: Session, report: Report, *, vault: Vault) -> Report:
    """Write what a report says, in the caller's transaction, and note how many rows did what.

    Returns
    -------
    Report
        The same.
    """
    access.require_role(session, *STAFF_ROLES, "job")
    people.hold_identities(session)
    added = [line for line in report.lines if line.outcome == "added"]
    changed = [line for line in report.lines if line.outcome == "changed"]
    _add(session, added, vault)
    for line in changed:
        _change(session, line, vault)
    _record(session, report)
    return report


def _add(session: Session, lines: Sequence[Line], vault: Vault) -> None:
    homes = [dict(line.fields or {})["home"] for line in lines]
    points = store.read_points(
        session, {home.stairwell_code or home.building_code for home in homes} - {None}
    )
    rows = []
    for line, home in zip(lines, homes, strict=True):
        geom = points.get(home.stairwell_code or home.building_code or "")
        if geom is None:
            geom = register_store.find_home_point(session, line.community_code or 0, home)
        fields = {"is_available": True, **dict(line.fields or {})}
        assert line.member_id is not None  # noqa: S101  (an added line has the id it will have)
        rows.append(register.rows_of(session, line.member_id, fields, vault=vault, geom=geom))
    register_store.add_members(
        session,
        [one.member for one in rows],
        [one.identity for one in rows],
        [one.affiliation for one in rows],
    )
    register_store.add_rows(session, ConsentRow, [one.consent for one in rows])
    register_store.add_rows(session, HoursRow, [hours for one in rows for hours in one.hours])
    _add_absences(session, lines)


def _add_absences(session: Session, lines: Sequence[Line]) -> None:
    register_store.add_rows(
        session,
        AbsenceRow,
        [
            {
                "community_code": line.community_code,
                "id": new_id(),
                "member_id": line.member_id,
                "kind": "other",
                "valid": register_store.term(first, last and last + _DAY),
            }
            for line in lines
            for first, last in line.away
        ],
    )


def _change(session: Session, line: Line, vault: Vault) -> None:
    code, member_id = line.community_code, line.member_id
    assert code is not None  # noqa: S101  (a changed line has its member)
    assert member_id is not None  # noqa: S101
    fields = {name: value for name, value in dict(line.fields or {}).items() if value is not None}
    register.write_changes(session, code, member_id, fields, vault=vault)
    _add_absences(session, [line])
    if line.consented_on is not None:
        consent = {"community_code": code, "id": new_id(), "member_id": member_id}
        given = {"given_on": line.consented_on, "basis": "given"}
        register_store.add_rows(session, ConsentRow, [consent | given])


def _record(session: Session, report: Report) -> None:
    """Note the import once in each community that it changed, by counts."""
    counts: dict[int, dict[str, int]] = {}
    for line in report.lines:
        if line.outcome in ("added", "changed") and line.community_code is not None:
            own = counts.setdefault(line.community_code, {"added": 0, "changed": 0})
            own[line.outcome] += 1
    for code, own in sorted(counts.items()):
        audit.record(session, community_code=code, action="member.import", subject=str(code), **own)


def without_fields(report: Report) -> Report:
    """Return a report without what rows say: to keep or to send, it names nobody."""
    return replace(report, lines=tuple(replace(line, fields=None) for line in report.lines))
