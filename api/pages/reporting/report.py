"""Reporting from a phone: what, then words and photos; from a stairwell's QR code, or anywhere.

Every step is a page of its own address, so that it works without a script; with one, photos are
made small before they are sent, a map takes a finger's tap, and what is near is shown at once.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from api.deps import CallerDep, DatabaseDep, Language, LanguageDep, VaultDep, VisitorDep
from api.errors import status_of
from api.follow_token import set_follow_cookie
from api.pages.faults import with_wait
from api.pages.files import with_version
from api.pages.reporting.kinds import kinds_of, name_of
from api.pages.reporting.place import place_words, suggestions
from api.pages.shell import new_nonce, render
from api.pages.text import Words, words_of
from api.schemas.reports import ReportIn
from gridsvc.access.model import Principal
from gridsvc.access.signing_in import Caller
from gridsvc.db import Database, clear_connection_errors, new_id
from gridsvc.errors import (
    ConflictError,
    GridsvcError,
    PhotoRefusedError,
    PhotosBusyError,
    TooManyPhotosError,
    TooManyTriesError,
    UnknownCategoryError,
    UnknownPlaceError,
)
from gridsvc.incidents.model import STATUSES
from gridsvc.incidents.photos import service as photos
from gridsvc.incidents.photos.model import AT_MOST
from gridsvc.incidents.reporting import places, service
from gridsvc.incidents.reporting.model import (
    LONGEST_WORDS,
    Door,
    FollowToken,
    Spot,
    new_secret,
)
from gridsvc.overview.incidents import LISTENERS
from maps.base import Ground, base_map
from maps.page import parts

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

What = Annotated[str, Query(max_length=60)]
Text = Annotated[str, Form()]
# Which field a fault is about, by where the schema finds it.
FIELDS = {"words": "words", "email": "email", "where": "where", "category_code": "what"}
_FORM = ("id", "secret", "what", "stairwell", "compound", "lon", "lat", "words", "email")


@router.get("/g/{code}")
def show_door(
    request: Request,
    database: DatabaseDep,
    visitor: VisitorDep,
    language: LanguageDep,
    code: str,
    what: What = "",
) -> HTMLResponse:
    """Show what can be reported of a stairwell, then its form; of an ended one, what it became."""
    with clear_connection_errors():
        door = places.find_door(database, code)
        if door.spot is None:
            return _show_no_door(request, language, visitor, door)
        form = {"what": what, "stairwell": code}
        return _show(request, database, visitor, language, form, spot=door.spot)


@router.get("/report")
def show_report(
    request: Request,
    database: DatabaseDep,
    visitor: VisitorDep,
    language: LanguageDep,
    what: What = "",
) -> HTMLResponse:
    """Show what can be reported, then the form with a map to say where."""
    with clear_connection_errors():
        return _show(request, database, visitor, language, {"what": what})


@router.post("/report")
def send_report(
    request: Request,
    database: DatabaseDep,
    vault: VaultDep,
    visitor: VisitorDep,
    caller: CallerDep,
    language: LanguageDep,
    report_id: Annotated[str, Form(alias="id", max_length=36)] = "",
    secret: Annotated[str, Form(max_length=24)] = "",
    what: Annotated[str, Form(max_length=60)] = "",
    stairwell: Annotated[str, Form(max_length=20)] = "",
    compound: Annotated[str, Form(max_length=15)] = "",
    lon: Annotated[str, Form(max_length=30)] = "",
    lat: Annotated[str, Form(max_length=30)] = "",
    words: Text = "",
    email: Text = "",
    photo: Annotated[Sequence[UploadFile], File()] = (),
) -> Response:
    """Take the report, then its photos; a photo that is none leaves the report as it is."""
    given = (report_id, secret, what, stairwell, compound, lon, lat, words, email)
    form = dict(zip(_FORM, given, strict=True))
    with clear_connection_errors():
        try:
            wish = _read(form, language).wish(key=None, entry="page")
            filed = service.file(
                database,
                vault,
                wish,
                caller=caller if visitor is None else None,
                on_event=LISTENERS,
            )
        except ValidationError as error:
            return _show_fault(request, database, visitor, language, form, _faults(error))
        except (UnknownCategoryError, UnknownPlaceError, TooManyTriesError, ConflictError) as error:
            return _show_fault(request, database, visitor, language, form, _fault_of(error), error)
        refused = _add_photos(database, filed.token, photo, caller)
    query = "".join(f"&refused={word}" for word in sorted(refused))
    answer = RedirectResponse(f"/report/follow?new=1{query}", status_code=HTTPStatus.SEE_OTHER)
    set_follow_cookie(request, answer, filed.token)
    return answer


def _read(form: dict[str, str], language: Language) -> ReportIn:
    """Return the report that a form holds.

    Raises
    ------
    pydantic.ValidationError
        A field is missing or makes no sense.
    """
    if form["stairwell"]:
        where = {"stairwell_code": form["stairwell"]}
    elif form["lon"] or form["lat"]:
        where = {"lon": form["lon"], "lat": form["lat"]}
    else:
        where = {"compound_code": form["compound"]} if form["compound"] else {}
    return ReportIn.model_validate(
        {
            "id": form["id"] or None,
            "secret": form["secret"] or None,
            "category_code": form["what"],
            "words": form["words"],
            "where": where,
            "email": form["email"] or None,
            "language": language,
        }
    )


def _add_photos(
    database: Database, token: str, sent: Sequence[UploadFile], caller: Caller
) -> set[str]:
    """Add photos to a report; return in stable words why some were not taken."""
    read = FollowToken.read(token)
    refused: set[str] = set()
    # A browser sends an empty file where none was chosen.
    for upload in (one for one in sent if one.filename and read):
        try:
            photos.add(database, read, upload.file.read(), caller=caller)  # type: ignore[arg-type]
        except PhotoRefusedError as error:
            refused.add(error.fault)
        except TooManyPhotosError:
            refused.add("too-many")
        except (PhotosBusyError, TooManyTriesError):
            refused.add("busy")
    return refused


# ---- what is shown


def _show(
    request: Request,
    database: Database,
    visitor: Principal | None,
    language: Language,
    form: dict[str, str],
    *,
    spot: Spot | None = None,
    faults: dict[str, str] | None = None,
    status: int = HTTPStatus.OK,
) -> HTMLResponse:
    """Show the icons, or for what was chosen the form."""
    categories = places.list_categories(database)
    what = form.get("what", "")
    here = f"/g/{form['stairwell']}" if form.get("stairwell") else "/report"
    place = place_words(spot, words_of(language)) if spot else ""
    if what not in {one.code for one in categories}:
        return render(
            request,
            "report_what.html",
            language,
            visitor,
            status=status,
            kinds=kinds_of(categories, language),
            here=here,
            place=place,
            spot=spot,
            faults=_no_faults() | (faults or {}),
        )
    nonce = new_nonce()
    say = words_of(language)
    similar = places.list_similar(database, spot, what) if spot else []
    return render(
        request,
        "report_form.html",
        language,
        visitor,
        nonce=nonce,
        status=status,
        here=here,
        place=place,
        spot=spot,
        form=dict.fromkeys(_FORM, "") | {"id": str(new_id()), "secret": new_secret()} | form,
        category=name_of(categories, what, language),
        class_code=what.partition(".")[0],
        similar=suggestions(similar, categories, language),
        faults=_no_faults() | (faults or {}),
        longest=LONGEST_WORDS,
        photos_at_most=AT_MOST,
        script_words=_script_words(say),
        **({} if spot else _choices(database, language, nonce)),
    )


def _no_faults() -> dict[str, str]:
    return dict.fromkeys((*FIELDS.values(), "form"), "")


def _choices(database: Database, language: Language, nonce: str) -> dict[str, Any]:
    """Return the map to tap at, and the compounds to choose from where there is no script."""
    communities, compounds = places.read_ground(database)
    page = base_map(
        Ground(
            communities=communities,
            compounds=compounds,
            attribution=" · ".join(communities["attribution"].unique()),
            lang=language,
        )
    )
    drawn = parts(page, nonce=nonce)
    names = dict(zip(communities["code"], communities["name"], strict=True))
    groups: dict[str, list[tuple[str, str]]] = {}
    for code, community, name in zip(
        compounds["code"], compounds["community_code"], compounds["name"], strict=True
    ):
        groups.setdefault(str(names.get(community, community)), []).append((code, name))
    return {
        "map_header": with_version(drawn.header),
        "map_body": drawn.body,
        "map_script": drawn.script,
        "groups": groups,
    }


def _script_words(say: Words) -> dict[str, Any]:
    """Return the phrases of the page's script."""
    keys = ("photo_remove", "photo_too_many", "sending", "here_none")
    return {key: say(f"report_{key}") for key in keys} | {
        "outside": say("report_place_outside"),
        "metres": say("report_metres", n="{n}"),
        "here": say("report_here"),
        "failed": say("report_nearby_failed"),
        "statuses": {one: say(f"report_status_{one}") for one in STATUSES},
    }


def _show_fault(
    request: Request,
    database: Database,
    visitor: Principal | None,
    language: Language,
    form: dict[str, str],
    fields: dict[str, str],
    error: GridsvcError | None = None,
) -> HTMLResponse:
    """Show the form again as it was sent, with a sentence for each field that is not right."""
    say = words_of(language)
    wait = {"n": error.retry_after_s} if isinstance(error, TooManyTriesError) else {}
    spot = places.find_door(database, form["stairwell"]).spot
    # It may have ended while the form was open: then the place is to be chosen.
    form = form | {"stairwell": spot.stairwell_code or "" if spot else ""}
    answer = _show(
        request,
        database,
        visitor,
        language,
        form | {"words": form["words"][: 4 * LONGEST_WORDS]},
        spot=spot,
        faults={field: say(key, **wait) for field, key in fields.items()},
        status=status_of(error) if error else HTTPStatus.UNPROCESSABLE_ENTITY,
    )
    return with_wait(answer, error) if error else answer


def _faults(error: ValidationError) -> dict[str, str]:
    """Return the field and the phrase of each fault that a schema found."""
    found = {FIELDS.get(str(fault["loc"][0]), "form") for fault in error.errors()}
    return {field: f"report_fault_{field}" for field in found}


def _fault_of(error: GridsvcError) -> dict[str, str]:
    """Return the field and the phrase of an error."""
    kinds: tuple[tuple[type[GridsvcError], str, str], ...] = (
        (UnknownCategoryError, "what", "report_fault_what"),
        (UnknownPlaceError, "where", "report_fault_far"),
        (TooManyTriesError, "form", "report_fault_often"),
    )
    for kind, field, key in kinds:
        if isinstance(error, kind):
            return {field: key}
    return {"form": "report_fault_form"}


def _show_no_door(
    request: Request, language: Language, visitor: Principal | None, door: Door
) -> HTMLResponse:
    """Show that a code is none, or no longer, and the ways to report all the same."""
    say = words_of(language)
    gone = HTTPStatus.GONE if door.ended_on else HTTPStatus.NOT_FOUND
    return render(
        request,
        "report_no_door.html",
        language,
        visitor,
        status=gone,
        door=door,
        successors=[(one.stairwell_code, place_words(one, say)) for one in door.successors],
    )
