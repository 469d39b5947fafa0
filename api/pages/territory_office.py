"""Territory from files, for administrators: send a file, read what stands against it, decide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, UploadFile
from fastapi.responses import HTMLResponse, Response
from geopandas import GeoDataFrame
from pandas import DataFrame

from api.deps import DatabaseDep, Language
from api.errors import status_of
from api.pages.desk import Desk, DeskDep
from api.pages.entering import go
from api.pages.files import with_version
from api.pages.panel import TILE_URL
from api.pages.shell import new_nonce, render
from api.pages.text import Words
from api.schemas.imports import UploadIn
from api.schemas.paging import Cursor, decode_time_cursor, encode_cursor
from api.uploads import sent_file, stage_upload
from geodata.columns import fields_of
from geodata.entrances import ENTRANCE_REACH_M
from geodata.errors import GeodataError
from geodata.quality import load_kinds
from gridsvc.errors import GridsvcError
from gridsvc.local_time import local_today
from gridsvc.territory import service as territory
from gridsvc.territory.importing import service
from gridsvc.territory.importing.findings import OWN_KINDS, Findings
from gridsvc.territory.importing.model import LAYERS, Decision, TerritoryImport
from maps.base import Ground
from maps.page import MapParts, parts
from maps.quality import quality_map

router = APIRouter(prefix="/admin/territory", include_in_schema=False)

PAGE_LENGTH = 30
TOLD_FAULTS = (
    *("unreadable-file", "unsupported-format", "file-limit", "file-encoding", "lost-digits"),
    *("file-without-crs", "contradicting-crs", "unknown-crs", "layer-choice"),
    *("ambiguous-columns", "unmatched-field", "absent-column", "no-headings", "unusable-workbook"),
    *("invalid-parameter", "import-needs-street", "import-blocked", "import-state"),
    *("territory-changed", "not-found"),
)
"""Codes of the errors that have words of their own; the English sentence stands below them."""
OUTCOMES = (
    *("added", "changed", "same", "rejected"),
    *("repaired", "cut", "by_entrances", "stairwells"),
)
_SHOWN_FAULTS = 20
_MOST_DRAWN = 3_000
Done = Literal["applied", "discarded"]
FaultKinds = Annotated[list[str] | None, Form(max_length=60)]
FormFields = Annotated[UploadIn, Depends()]


@dataclass(frozen=True)
class FaultGroup:
    """The faults of one kind.

    Attributes
    ----------
    shown
        The first of them: ``row``, ``code``, ``measure``, ``unit``, ``reason`` (in the language of
        the page).
    """

    kind: str
    name: str
    advice: str
    severity: str
    count: int
    shown: Sequence[Mapping[str, Any]]


@router.get("")
def show_imports(desk: DeskDep, cursor: Cursor = None, done: Done | None = None) -> HTMLResponse:
    """Ask for a file, and show those that were brought in."""
    return _list_page(desk, cursor=cursor, done=done)


@router.post("")
def send_file(
    desk: DeskDep,
    database: DatabaseDep,
    file: Annotated[UploadFile, File()],
    form: FormFields,
    entrances: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Stage a file, and lead to its report."""
    scope, beside = desk.principal.scope, sent_file(entrances)
    try:
        found = stage_upload(database, scope, desk.settings, file, form, entrances=beside)
    except (GeodataError, GridsvcError) as error:
        return _list_page(desk, error=error, form=form)
    return go(f"/admin/territory/{found.id}")


@router.get("/{import_id}")
def show_import(desk: DeskDep, import_id: UUID, done: Done | None = None) -> HTMLResponse:
    """Show a file, and what stands against it while it waits."""
    return _import_page(desk, service.get(desk.session, import_id), done=done)


@router.post("/{import_id}/apply")
def apply_import(
    desk: DeskDep,
    import_id: UUID,
    accept: FaultKinds = None,
    repair: Annotated[bool, Form()] = False,
    cut_stairwells: Annotated[bool, Form()] = False,
    stairwells: Annotated[str, Form(pattern="^([1-9][0-9]?)?$")] = "",
) -> Response:
    """Write a file into the territory: everything of it, or nothing."""
    stated = int(stairwells) if stairwells else None
    decision = Decision(frozenset(accept or ()), repair, cut_stairwells, stated)
    try:
        with desk.session.begin_nested():
            service.apply(desk.session, import_id, decision)
    except (GeodataError, GridsvcError) as error:
        found = service.get(desk.session, import_id)
        return _import_page(desk, found, error=error, decision=decision)
    return go(f"/admin/territory/{import_id}", done="applied")


@router.post("/{import_id}/discard")
def discard_import(desk: DeskDep, import_id: UUID) -> Response:
    """Forget the rows of a file that was not applied."""
    service.discard(desk.session, import_id)
    return go("/admin/territory", done="discarded")


def _list_page(
    desk: Desk,
    *,
    cursor: str | None = None,
    done: Done | None = None,
    error: GeodataError | GridsvcError | None = None,
    form: UploadIn | None = None,
) -> HTMLResponse:
    found = service.list_imports(
        desk.session, before=decode_time_cursor(cursor), limit=PAGE_LENGTH + 1
    )
    shown = found[:PAGE_LENGTH]
    last = shown[-1] if len(found) > PAGE_LENGTH else None
    wholes = [place for place in desk.places().choices() if place.is_whole]
    return _show(
        desk,
        "territory_imports.html",
        error,
        form=form,
        done=done,
        imports=shown,
        following=last and encode_cursor(last.created_at.isoformat(), str(last.id)),
        is_first=cursor is None,
        layers=LAYERS,
        fields={layer: fields_of(layer) for layer in LAYERS},
        streets=wholes,
        today=local_today(),
        entrance_reach_m=f"{ENTRANCE_REACH_M:g}",
    )


def _import_page(
    desk: Desk,
    found: TerritoryImport,
    *,
    done: Done | None = None,
    error: GeodataError | GridsvcError | None = None,
    decision: Decision | None = None,
) -> HTMLResponse:
    findings = service.report(desk.session, found) if found.status == "staged" else None
    nonce = new_nonce()
    made = _map_of(desk, found, findings, nonce=nonce) if findings is not None else None
    return _show(
        desk,
        "territory_import.html",
        error,
        nonce=nonce,
        found=found,
        fields=fields_of(found.layer),
        findings=findings,
        groups=[] if findings is None else groups_of(findings, desk.language, desk.say),
        outcomes={} if findings is None else findings.outcomes(),
        decision=decision or Decision(),
        done=done,
        map_header=with_version(made.header) if made else "",
        map_body=made.body if made else "",
        map_script=made.script if made else "",
        result_names=OUTCOMES,
    )


def _map_of(
    desk: Desk, found: TerritoryImport, findings: Findings, *, nonce: str
) -> MapParts | None:
    """Return the faults, and what they are of, on a map; a register has no place."""
    if found.layer == "households" or findings.features.empty:
        return None
    communities = territory.read_communities(desk.session)
    ground = Ground(
        communities=communities,
        compounds=territory.read_compounds(desk.session),
        tile_url=TILE_URL,
        attribution=" · ".join(communities["attribution"].unique()),
        lang=desk.language,
    )
    page = quality_map(
        found.layer,
        _drawn(findings),
        findings.faults,
        ground,
        kind_names={kind: kind_name(kind, desk.language, desk.say) for kind in OWN_KINDS},
    )
    return parts(page, nonce=nonce)


def _drawn(findings: Findings) -> GeoDataFrame:
    """Return what is drawn of a file, EPSG:4326: all, or of a large one what has faults."""
    features = findings.features
    if len(features) <= _MOST_DRAWN:
        return features
    return GeoDataFrame(features[features["row"].isin(findings.faults["row"])])


def kind_name(kind: str, language: Language, say: Words) -> str:
    """Return what a kind of faults is called."""
    one = load_kinds().get(kind)
    return one.name(language) if one else say(f"fault_kind_{kind.replace('-', '_')}")


def groups_of(findings: Findings, language: Language, say: Words) -> list[FaultGroup]:
    """Return the faults by kind, errors first, with what they are called and what to do."""
    known = load_kinds()
    table = findings.as_table(lang=language)
    groups = []
    for severity, counts in (("error", findings.errors), ("warning", findings.warnings)):
        for kind, count in counts.items():
            own = table[(table["fault"] == kind) & (table["severity"] == severity)]
            key = kind.replace("-", "_")
            one = known.get(kind)
            groups.append(
                FaultGroup(
                    kind,
                    kind_name(kind, language, say),
                    one.advice(language) if one else say(f"fault_advice_{key}"),
                    severity,
                    count,
                    _first_of(own),
                )
            )
    return groups


def _first_of(faults: DataFrame) -> list[dict[str, Any]]:
    shown = faults.head(_SHOWN_FAULTS)[["row", "code", "measure", "unit", "reason"]]
    plain = shown.astype(object).where(shown.notna(), None)
    return [{str(name): value for name, value in one.items()} for one in plain.to_dict("records")]


def _show(
    desk: Desk,
    template: str,
    error: GeodataError | GridsvcError | None,
    *,
    nonce: str | None = None,
    **values: Any,
) -> HTMLResponse:
    return render(
        desk.request,
        template,
        desk.language,
        desk.principal,
        nonce=nonce,
        status=status_of(error) if error else HTTPStatus.OK,
        tab="territory",
        fault=_fault_words(error, desk.say) if error else None,
        fault_detail=str(error) if error else "",
        **values,
    )


def _fault_words(error: GeodataError | GridsvcError, say: Words) -> str:
    """Return what went wrong, in the language of the page; details are in English."""
    kind = error.code if error.code in TOLD_FAULTS else "other"
    return say(f"import_fault_{kind}".replace("-", "_"))
