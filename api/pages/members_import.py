"""Lists of members looked at and written, and members who stand in the register twice."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import HTMLResponse, Response

from api.deps import VaultDep
from api.pages.desk import Desk, DeskDep
from api.pages.entering import go
from api.uploads import columns_of, kept
from geodata.columns import ColumnMapping, fields_of
from geodata.errors import GeodataError
from geodata.register.members import read_members
from gridsvc.errors import GridsvcError, ListRefusedError, NotFoundError
from gridsvc.overview import merging
from gridsvc.people.importing import service as importing
from gridsvc.people.importing.model import Report
from gridsvc.people.twins import service as twins

router = APIRouter(
    prefix="/admin/members", include_in_schema=False, default_response_class=HTMLResponse
)

SHOWN_FAULTS = 200
FAULT_KINDS = (
    *("unreadable-value", "bad-phone", "no-phone", "unknown-affiliation", "bad-capacity"),
    *("bad-date", "bad-place", "unknown-skills", "unknown-dialects", "unread-hours", "no-name"),
    *("no-home", "home", "no-community", "unknown-community", "home-elsewhere", "no-consent"),
    *("consent-withdrawn", "unknown-branch", "twice", "several-members"),
)
"""Kinds of what can be wrong with a row of a list; each has words."""

Version = Annotated[int, Form(ge=1)]


@router.get("/import")
def show_import(desk: DeskDep) -> HTMLResponse:
    """Ask for a list."""
    return _import_page(desk)


@router.post("/import")
def import_members(
    desk: DeskDep,
    vault: VaultDep,
    file: Annotated[UploadFile, File()],
    columns: Annotated[str, Form(max_length=4_000)] = "",
    deed: Annotated[Literal["look", "apply"], Form()] = "look",
) -> Response:
    """Look at a list, and write it if that was the button; the file is not kept."""
    try:
        given = columns_of(columns, "members")
        mapping = ColumnMapping("members", given) if given else None
        with kept(file, desk.settings) as path:
            found = read_members(path, columns=mapping)
        report = importing.examine(desk.session, found, vault=vault)
        if deed == "apply":
            with desk.session.begin_nested():
                importing.apply(desk.session, report, vault=vault)
    except GeodataError as error:
        return _import_page(desk, error=ListRefusedError(str(error)), columns=columns)
    return _import_page(desk, report=report, columns=columns, is_applied=deed == "apply")


@router.get("/twins")
def show_twins(desk: DeskDep, vault: VaultDep) -> HTMLResponse:
    """Show members who may be one person."""
    return _twins_page(desk, vault)


@router.post("/merge")
def merge_members(
    desk: DeskDep,
    vault: VaultDep,
    kept_id: Annotated[UUID, Form()],
    kept_version: Version,
    gone_id: Annotated[UUID, Form()],
    gone_version: Version,
) -> Response:
    """Make two members one."""
    try:
        with desk.session.begin_nested():
            merging.merge_members(
                desk.session, kept=(kept_id, kept_version), gone=(gone_id, gone_version)
            )
    except NotFoundError:
        raise  # what is not the caller's gets the page of what is not there
    except GridsvcError as error:
        return _twins_page(desk, vault, error=error)
    return go(f"/admin/members/{kept_id}", done="merged")


def _import_page(
    desk: Desk,
    *,
    report: Report | None = None,
    columns: str = "",
    is_applied: bool = False,
    error: GridsvcError | None = None,
) -> HTMLResponse:
    return desk.show(
        "members_import.html",
        tab="members",
        error=error,
        report=report,
        faults=report.faults[:SHOWN_FAULTS] if report else (),
        columns=columns,
        is_applied=is_applied,
        fields=fields_of("members"),
    )


def _twins_page(desk: Desk, vault: VaultDep, *, error: GridsvcError | None = None) -> HTMLResponse:
    found = twins.find_twins(desk.session, vault=vault)
    places = desk.places()
    return desk.show(
        "members_twins.html",
        tab="members",
        error=error,
        pairs=found,
        places={
            one.community_code: places.code_name(one.community_code)
            for pair in found
            for one in (pair.one, pair.other)
        },
    )
