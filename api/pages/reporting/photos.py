"""Photos that wait for a coordinator: blurred by hand, then shown to everybody, or not."""

import json
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from api.deps import SessionDep
from api.pages.desk import Desk, DeskDep
from api.pages.home import category_names
from gridsvc.errors import GridsvcError, NotPublicError
from gridsvc.incidents import service as incidents
from gridsvc.incidents.photos import service as photos
from gridsvc.incidents.photos.model import Rectangle, Size

router = APIRouter(
    prefix="/incidents/photos", include_in_schema=False, default_response_class=HTMLResponse
)

_MOST_SHOWN = 60
_MOST_RECTANGLES = 50
_SEE_OTHER = 303


class RectangleIn(BaseModel):
    """A part to blur, in shares of the photo's width and height."""

    model_config = ConfigDict(extra="forbid")

    left: float = Field(ge=0, le=1)
    top: float = Field(ge=0, le=1)
    width: float = Field(gt=0, le=1)
    height: float = Field(gt=0, le=1)


_RECTANGLES = TypeAdapter(Annotated[list[RectangleIn], Field(max_length=_MOST_RECTANGLES)])


@router.get("")
def show_waiting(desk: DeskDep) -> HTMLResponse:
    """Show the photos of public incidents that nobody has published."""
    return desk.show(
        "photos.html",
        tab="photos",
        waiting=photos.list_waiting(desk.session, limit=_MOST_SHOWN),
        names=category_names(desk.session, desk.language),
    )


@router.get("/{photo_id}")
def show_photo(desk: DeskDep, photo_id: UUID) -> HTMLResponse:
    """Show a photo to draw rectangles on."""
    return _show(desk, photo_id)


@router.get("/{photo_id}/image", response_class=Response)
def read_image(
    session: SessionDep, photo_id: UUID, size: Annotated[Size, Query()] = "full"
) -> Response:
    """Return a photo as it was sent, to staff."""
    return Response(photos.read(session, photo_id, size), media_type="image/jpeg")


@router.post("/{photo_id}")
def decide(
    desk: DeskDep,
    photo_id: UUID,
    deed: Annotated[Literal["publish", "withdraw"], Form()],
    rectangles: Annotated[str, Form(max_length=10_000)] = "[]",
    nothing: Annotated[str, Form(max_length=3)] = "",
) -> Response:
    """Blur and publish a photo, or withdraw it."""
    if deed == "withdraw":
        photos.withdraw(desk.session, photo_id)
        return RedirectResponse(f"/incidents/photos/{photo_id}", status_code=_SEE_OTHER)
    photos.get(desk.session, photo_id)
    try:
        covered = _RECTANGLES.validate_python(json.loads(rectangles or "[]"))
    except (ValidationError, ValueError):
        return _show(desk, photo_id, fault="photo_fault_rectangles")
    if not covered and not nothing:
        return _show(desk, photo_id, fault="photo_fault_nothing")
    try:
        photos.publish(desk.session, photo_id, [Rectangle(**one.model_dump()) for one in covered])
    except NotPublicError as error:
        return _show(desk, photo_id, fault="photo_fault_private", error=error)
    return RedirectResponse("/incidents/photos", status_code=_SEE_OTHER)


def _show(
    desk: Desk, photo_id: UUID, *, fault: str = "", error: GridsvcError | None = None
) -> HTMLResponse:
    photo = photos.get(desk.session, photo_id)
    incident = incidents.get(desk.session, photo.incident_id)
    say = desk.say
    page = desk.show(
        "photo.html",
        tab="photos",
        photo=photo,
        incident=incident,
        category=category_names(desk.session, desk.language).get(
            incident.category_code, incident.category_code
        ),
        photo_fault=say(fault) if fault else "",
        script_words={
            "rectangle": say("photo_rectangle"),
            "count": say("photo_covered", n="{n}"),
        },
    )
    if fault:
        page.status_code = 409 if error else 422
    return page
