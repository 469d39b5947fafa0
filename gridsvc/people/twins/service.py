"""Finding members who may be one person, and making two of one community one."""

from itertools import combinations
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.access import service as access
from gridsvc.access.model import STAFF_ROLES
from gridsvc.audit import service as audit
from gridsvc.errors import MergeRefusedError, NotFoundError, StaleMemberError
from gridsvc.people.register import store as register
from gridsvc.people.tables import MemberIdentityRow, MemberRow
from gridsvc.people.twins import store
from gridsvc.people.twins.likeness import LEAST, judge
from gridsvc.people.twins.model import Twin, Twins
from gridsvc.vault import Vault

MOST_CANDIDATES = 5_000
MOST_PAIRS = 200


def find_twins(session: Session, *, vault: Vault, community_code: int | None = None) -> list[Twins]:
    """Return pairs of members who may be one person, the surest first; at most `MOST_PAIRS`.

    Parameters
    ----------
    vault
        Tells whether two phones of one mask are the same; no phone leaves this function.
    community_code
        Only within this community; default: also across those of the caller.

    Returns
    -------
    list
        Empty where nobody is like another.
    """
    access.require_role(session, *STAFF_ROLES)
    candidates = store.read_candidates(session, community_code=community_code, most=MOST_CANDIDATES)
    blocks: dict[tuple[object, ...], list[int]] = {}
    for place, (twin, _) in enumerate(candidates):
        for key in _keys(twin):
            blocks.setdefault(key, []).append(place)
    pairs = {pair for block in blocks.values() for pair in combinations(block, 2)}
    found = []
    for one, other in sorted(pairs):
        twins = _judge(candidates[one], candidates[other], vault)
        if twins.score >= LEAST:
            found.append(twins)
    found.sort(key=lambda pair: (-pair.score, str(pair.one.member_id), str(pair.other.member_id)))
    return found[:MOST_PAIRS]


def _building(twin: Twin) -> str | None:
    return twin.home_building_code or (twin.home_stairwell_code or "")[:18] or None


def _keys(twin: Twin) -> list[tuple[object, ...]]:
    keys: list[tuple[object, ...]] = []
    if twin.phone_masked:
        keys.append(("phone", twin.phone_masked))
    if building := _building(twin):
        keys.append(("home", building, twin.name[:1]))
    return keys


def _judge(one: tuple[Twin, bytes | None], other: tuple[Twin, bytes | None], vault: Vault) -> Twins:
    left, right = one[0], other[0]
    is_same_mask = left.phone_masked is not None and left.phone_masked == right.phone_masked
    has_both = one[1] is not None and other[1] is not None
    is_same_phone = _same_phone(one[1], other[1], vault) if is_same_mask else None
    if has_both and not is_same_mask:
        is_same_phone = False
    homes = (_home(left), _home(right))
    score, reasons = judge(
        names=(left.name, right.name),
        is_same_phone=is_same_phone,
        is_same_mask=is_same_mask,
        is_same_home=homes[0] is not None and homes[0] == homes[1],
    )
    is_one = left.community_code == right.community_code
    return Twins(left, right, score, reasons, "merge" if is_one else "make_unavailable")


def _home(twin: Twin) -> str | None:
    return twin.home_stairwell_code or twin.home_building_code


def _same_phone(one: bytes | None, other: bytes | None, vault: Vault) -> bool | None:
    if one is None or other is None:
        return None
    return vault.decrypt(one) == vault.decrypt(other)


def merge(
    session: Session, *, kept: tuple[UUID, int], gone: tuple[UUID, int]
) -> tuple[int, dict[str, int]]:
    """Make two members of one community one: what belongs to ``gone`` becomes that of ``kept``.

    Posts, absences, exclusions and consents follow; what ``kept`` does not say of phone, home,
    branch, hours and abilities is taken over. Contacts and accounts are the caller's to move: see
    `gridsvc.overview.merging`. Of ``gone`` an erased row stays, which leads to ``kept``.

    Parameters
    ----------
    kept, gone
        Id of each, and the version that was seen.

    Returns
    -------
    tuple
        Their community, and how many rows of which table followed.

    Raises
    ------
    NotFoundError
        The caller's territory does not have both.
    StaleMemberError
        Somebody changed one of them meanwhile.
    MergeRefusedError
        It is one member, or they are of two communities.
    """
    access.require_role(session, *STAFF_ROLES)
    if kept[0] == gone[0]:
        raise MergeRefusedError("A member cannot be merged with themselves.")
    rows = store.hold(session, [kept[0], gone[0]])
    for member_id, version in (kept, gone):
        if member_id not in rows:
            raise NotFoundError("member", member_id)
        if rows[member_id].version != version:
            raise StaleMemberError(member_id, version, rows[member_id].version)
    kept_row, gone_row = rows[kept[0]], rows[gone[0]]
    if kept_row.community_code != gone_row.community_code:
        raise MergeRefusedError(
            f"Members of communities {kept_row.community_code} and {gone_row.community_code} are "
            "not merged, for nothing changes its community: make one of them unavailable."
        )
    code = kept_row.community_code
    counts = store.follow(session, code, kept_id=kept_row.id, gone_id=gone_row.id)
    _take_over(session, kept_row, gone_row)
    store.close(session, code, kept_id=kept_row.id, gone_id=gone_row.id)
    audit.record(
        session,
        community_code=code,
        action="member.merge",
        subject=str(kept_row.id),
        gone=str(gone_row.id),
        **counts,
    )
    return code, counts


def _take_over(session: Session, kept: MemberRow, gone: MemberRow) -> None:
    """Write what the kept one does not say and the other does."""
    values: dict[str, Any] = {
        "skills": list(dict.fromkeys([*kept.skills, *gone.skills])),
        "dialects": list(dict.fromkeys([*kept.dialects, *gone.dialects])),
        "branch_id": kept.branch_id or gone.branch_id,
        "reported_in_on": min(
            (day for day in (kept.reported_in_on, gone.reported_in_on) if day), default=None
        ),
    }
    if kept.home_stairwell_code is None and gone.home_stairwell_code is not None:
        values |= {
            "home_stairwell_code": gone.home_stairwell_code,
            "home_building_code": None,
            "geom": gone.geom,
        }
    register.change_member(session, kept.community_code, kept.id, values)
    identities = store.read_identities(session, kept.community_code, [kept.id, gone.id])
    mine, other = identities.get(kept.id), identities.get(gone.id)
    if isinstance(mine, MemberIdentityRow) and other and mine.phone_cipher is None:
        phone = {"phone_cipher": other.phone_cipher, "phone_masked": other.phone_masked}
        register.change_identity(session, kept.community_code, kept.id, phone)
