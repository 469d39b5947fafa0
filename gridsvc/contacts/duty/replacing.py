"""What a change of contact does to the days of those before: nobody's past is rewritten."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from gridsvc.contacts.duty.model import Stint
from gridsvc.db import new_id


@dataclass(frozen=True)
class Wanted:
    """Who is to be contact of a stairwell."""

    member_id: UUID
    tier: int
    distance_m: int
    households: int | None = None


@dataclass
class Changes:
    """Rows to delete, to end, and to add.

    Attributes
    ----------
    ended
        First day after the last, by id.
    """

    deleted: list[UUID] = field(default_factory=list)
    ended: dict[UUID, date] = field(default_factory=dict)
    added: list[Stint] = field(default_factory=list)

    def cut(self, stint: Stint, on: date) -> None:
        """Let somebody's days end; who would have begun that day never was in force."""
        if stint.first_day >= on:
            self.deleted.append(stint.id)
        else:
            self.ended[stint.id] = on


@dataclass(frozen=True)
class Period:
    """From when a change holds, and until when.

    Attributes
    ----------
    until
        First day on which the former contacts return; absent: they do not.
    """

    start: date
    until: date | None = None


def replace_lead(
    changes: Changes,
    stints: Sequence[Stint],
    wanted: Wanted | None,
    *,
    stairwell_code: str,
    period: Period,
    plan_id: UUID,
) -> bool:
    """Give a stairwell another lead; return whether anything changes.

    A cover that is in force is only ever covered anew: whoever it stands in for still returns. For
    a time, a lead whom nobody can replace stays, although absent.

    Parameters
    ----------
    stints
        The stairwell's leads whose days end after the start, by first day.
    wanted
        The new lead; absent: nobody.
    """
    current = next((one for one in stints if one.holds(period.start)), None)
    later = [one for one in stints if one.first_day > period.start]
    if (current and current.member_id) == (wanted and wanted.member_id):
        return False
    if period.until is None:
        end = current.end if current and current.is_cover else None
        if end is None:
            changes.deleted += [one.id for one in later]
    elif wanted is None:
        return False
    else:
        known_end = current.end if current else None
        bounds = [period.until, known_end, *(one.first_day for one in later)]
        end = min(day for day in bounds if day is not None)
    if current is not None:
        changes.cut(current, period.start)
    if wanted is not None:
        changes.added.append(_stint(wanted, "lead", stairwell_code, period.start, end, plan_id))
    if period.until is not None and current is not None and end is not None:
        _return(changes, current, end)
    return True


def _return(changes: Changes, former: Stint, day: date) -> None:
    """Let somebody go on from a day, where there was more to come."""
    if former.end is None or former.end > day:
        changes.added.append(replace(former, id=new_id(), first_day=day))


def _stint(
    wanted: Wanted, kind: str, code: str, start: date, end: date | None, plan_id: UUID
) -> Stint:
    return Stint(
        id=new_id(),
        stairwell_code=code,
        member_id=wanted.member_id,
        kind=kind,
        first_day=start,
        end=end,
        plan_id=plan_id,
        tier=wanted.tier,
        distance_m=wanted.distance_m,
        households=wanted.households,
        is_cover=end is not None,
    )


def replace_supporting(
    changes: Changes,
    stints: Sequence[Stint],
    wanted: Iterable[Wanted],
    *,
    stairwell_code: str,
    period: Period,
    plan_id: UUID,
) -> bool:
    """Give a stairwell other supporting contacts; return whether anything changes.

    Parameters
    ----------
    stints
        The stairwell's supporting contacts whose days end after the start, by first day.
    """
    asked = {one.member_id: one for one in wanted}
    current = {one.member_id: one for one in stints if one.holds(period.start)}
    later = [one for one in stints if one.first_day > period.start]
    stays = {
        member_id
        for member_id, one in current.items()
        if member_id in asked
        and one.households == asked[member_id].households
        and (one.end is None or period.until is not None)
    }
    if period.until is None:
        changes.deleted += [one.id for one in later]
        later = []
    for member_id in current.keys() - stays:
        changes.cut(current[member_id], period.start)
        if period.until is not None:
            _return(changes, current[member_id], period.until)
    for member_id in sorted(asked.keys() - stays):
        own = [one.first_day for one in later if one.member_id == member_id]
        end = min([*own, *([period.until] if period.until else [])], default=None)
        made = _stint(asked[member_id], "supporting", stairwell_code, period.start, end, plan_id)
        changes.added.append(made)
    return current.keys() != stays or asked.keys() != stays


def by_stairwell(stints: Iterable[Stint]) -> Mapping[str, list[Stint]]:
    """Return stints by the code of their stairwell, in the order given."""
    found: dict[str, list[Stint]] = {}
    for one in stints:
        found.setdefault(one.stairwell_code, []).append(one)
    return found
