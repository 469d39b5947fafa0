"""The register of members: list, add, change; consent, absences, exclusions, posts; twins; lists.

Answers with people in them are not kept under an ``Idempotency-Key``: what is made by a key is told
by its id.
"""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from api.deps import SessionDep, SettingsDep, VaultDep
from api.errors import responses
from api.idempotency import IdempotencyKey, once
from api.schemas.imports import ColumnsField
from api.schemas.paging import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    Page,
    decode_cursor,
    invalid_cursor,
    page_of,
)
from api.schemas.people import (
    AbsenceIn,
    Affiliation,
    ConsentIn,
    ExclusionIn,
    ListedMemberOut,
    MadeOut,
    MemberChangeIn,
    MemberImportOut,
    MemberIn,
    MemberOut,
    MergedOut,
    MergeMembersIn,
    PostIn,
    PostKind,
    TwinsOut,
    WithdrawnOut,
)
from api.schemas.territory import CommunityCode
from api.uploads import columns_of, kept
from api.versions import IfMatch, etag_of, seen_version
from geodata.columns import ColumnMapping
from geodata.register.members import read_members
from gridsvc.overview import merging
from gridsvc.overview.merging import Merged
from gridsvc.people import service as people
from gridsvc.people.importing import service as importing
from gridsvc.people.register import service
from gridsvc.people.register.model import Filter, ListedMember
from gridsvc.people.twins import service as twins
from gridsvc.people.twins.model import Twins

router = APIRouter(prefix="/api/v1/members", tags=["people"])
_LIST = responses(401, 403, 422, 503)
_ONE = responses(401, 403, 404, 422, 503)
_KNOWN: dict[int | str, dict[str, Any]] = {
    200: {"model": MadeOut, "description": "Known already: the first answer again."}
}
_MAKE = {**_KNOWN, **_ONE}


def after_of(cursor: str | None) -> tuple[int, UUID] | None:
    """Return community and id of the last member of the page before; none for the first."""
    parts = decode_cursor(cursor, parts=2)
    try:
        return (int(parts[0]), UUID(parts[1])) if parts else None
    except ValueError:
        raise invalid_cursor() from None


@router.get("", response_model=Page[ListedMemberOut], responses=_LIST)
def list_members(
    session: SessionDep,
    community: CommunityCode | None = None,
    affiliation: Affiliation | None = None,
    post: Annotated[PostKind | None, Query(description="An office held today.")] = None,
    branch: UUID | None = None,
    compound: Annotated[
        str | None, Query(pattern=r"^[0-9]{15}$", description="Where they live.")
    ] = None,
    free: Annotated[bool | None, Query(description="Can be asked today, or cannot.")] = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> dict[str, object]:
    """Return the members of the territory, phones masked, by community and id."""
    found = service.list_members(
        session,
        Filter(community, affiliation, post, branch, compound, free),
        after=after_of(cursor),
        limit=limit + 1,
    )
    return page_of(found, limit, names=_names)


def _names(last: ListedMember) -> tuple[str, ...]:
    return str(last.community_code), str(last.member_id)


@router.post("", response_model=MadeOut, status_code=201, responses=_MAKE)
def add_member(
    session: SessionDep,
    vault: VaultDep,
    body: MemberIn,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Write a new member, who has agreed."""
    return _made(
        session,
        idempotency_key,
        "member",
        body,
        lambda: service.add(session, body.draft(), vault=vault),
    )


def _made(
    session: SessionDep, key: str | None, what: str, body: BaseModel, make: Callable[[], UUID]
) -> JSONResponse:
    """Write something once, and answer with its id."""
    return once(
        session,
        key,
        f"{what} {body.model_dump_json()}".encode(),
        status=201,
        act=lambda: MadeOut(id=make()),
    )


@router.get("/twins", response_model=list[TwinsOut], responses=_LIST)
def list_twins(
    session: SessionDep, vault: VaultDep, community: CommunityCode | None = None
) -> list[Twins]:
    """Return pairs of members who may be one person, the surest first; at most two hundred."""
    return twins.find_twins(session, vault=vault, community_code=community)


@router.post(
    "/merge", response_model=MergedOut, responses=responses(401, 403, 404, 409, 412, 422, 503)
)
def merge_members(session: SessionDep, body: MergeMembersIn) -> Merged:
    """Make two members one: what is the one's, contacts too, becomes the kept one's."""
    return merging.merge_members(
        session,
        kept=(body.kept.member_id, body.kept.version),
        gone=(body.gone.member_id, body.gone.version),
    )


@router.post("/import", response_model=MemberImportOut, responses=_LIST)
def import_members(
    session: SessionDep,
    settings: SettingsDep,
    vault: VaultDep,
    file: Annotated[UploadFile, File(description="A list as .xlsx or CSV; 50 MB at most.")],
    columns: ColumnsField = "",
    apply: Annotated[bool, Form(description="Write it; else it is only looked at.")] = False,
) -> MemberImportOut:
    """Look at a list of members, and write it if that is wished; the file is not kept."""
    given = columns_of(columns, "members")
    mapping = ColumnMapping("members", given) if given else None
    with kept(file, settings) as path:
        found = read_members(path, columns=mapping)
    report = importing.examine(session, found, vault=vault)
    if apply:
        importing.apply(session, report, vault=vault)
    return MemberImportOut.of(report, is_applied=apply)


@router.get("/{member_id}", response_model=MemberOut, responses=_ONE)
def get_member(session: SessionDep, response: Response, member_id: UUID) -> MemberOut:
    """Return a member whole, the phone masked; contacts see nobody but themselves."""
    member = service.get(session, member_id)
    response.headers["ETag"] = etag_of(member.listed.version)
    return MemberOut.of(member)


@router.patch(
    "/{member_id}",
    response_model=MemberOut,
    responses=responses(401, 403, 404, 412, 422, 428, 503),
)
def change_member(
    session: SessionDep,
    vault: VaultDep,
    response: Response,
    member_id: UUID,
    body: MemberChangeIn,
    if_match: IfMatch = None,
) -> MemberOut:
    """Change fields of a member."""
    member = service.change(
        session, member_id, body.changes(), version=seen_version(if_match), vault=vault
    )
    response.headers["ETag"] = etag_of(member.listed.version)
    return MemberOut.of(member)


@router.post(
    "/{member_id}/consent", status_code=204, responses=responses(401, 403, 404, 409, 422, 503)
)
def give_consent(session: SessionDep, member_id: UUID, body: ConsentIn) -> Response:
    """Write that a member agrees, from a day on."""
    service.give_consent(session, member_id, on=body.on)
    return Response(status_code=204)


@router.post(
    "/{member_id}/withdraw-consent",
    response_model=WithdrawnOut,
    responses=responses(401, 403, 404, 409, 422, 503),
)
def withdraw_consent(session: SessionDep, member_id: UUID, body: ConsentIn) -> WithdrawnOut:
    """Write that a member agrees no more; tell which stairwells need somebody else."""
    found = merging.withdraw_consent(session, member_id, on=body.on)
    return WithdrawnOut(on=found.on, stairwells=sorted({code for code, _ in found.duties}))


@router.post("/{member_id}/absences", response_model=MadeOut, status_code=201, responses=_MAKE)
def add_absence(
    session: SessionDep, member_id: UUID, body: AbsenceIn, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Write that a member cannot be asked from a day on."""
    return _made(
        session,
        idempotency_key,
        f"absence {member_id}",
        body,
        lambda: service.add_absence(
            session, member_id, kind=body.kind, since=body.since, until=body.until
        ),
    )


@router.delete("/{member_id}/absences/{absence_id}", status_code=204, responses=_ONE)
def end_absence(session: SessionDep, member_id: UUID, absence_id: UUID) -> Response:
    """Write that a member is back today; an absence to come is taken back."""
    service.end_absence(session, member_id, absence_id)
    return Response(status_code=204)


@router.post("/{member_id}/exclusions", response_model=MadeOut, status_code=201, responses=_MAKE)
def add_exclusion(
    session: SessionDep, member_id: UUID, body: ExclusionIn, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Say whom, or which stairwell, a member must not look after."""
    return _made(
        session,
        idempotency_key,
        f"exclusion {member_id}",
        body,
        lambda: people.add_exclusion(
            session,
            community_code=service.get(session, member_id).listed.community_code,
            member_id=member_id,
            **body.model_dump(),
        ),
    )


@router.delete("/{member_id}/exclusions/{exclusion_id}", status_code=204, responses=_ONE)
def end_exclusion(session: SessionDep, member_id: UUID, exclusion_id: UUID) -> Response:
    """Write that an exclusion holds no more, from today on."""
    service.end_exclusion(session, member_id, exclusion_id)
    return Response(status_code=204)


@router.post("/{member_id}/posts", response_model=MadeOut, status_code=201, responses=_MAKE)
def add_post(
    session: SessionDep, member_id: UUID, body: PostIn, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Write that a member holds an office."""
    return _made(
        session,
        idempotency_key,
        f"post {member_id}",
        body,
        lambda: service.add_post(session, member_id, body.draft()),
    )


@router.delete("/{member_id}/posts/{post_id}", status_code=204, responses=_ONE)
def end_post(session: SessionDep, member_id: UUID, post_id: UUID) -> Response:
    """Write that a member holds an office no more, from today on."""
    service.end_post(session, member_id, post_id)
    return Response(status_code=204)
