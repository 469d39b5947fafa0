"""The form that a report comes in."""

import math
import re
from collections.abc import Mapping
from typing import Annotated
from uuid import UUID, uuid5

from fastapi import Depends, Request
from starlette.datastructures import FormData

from api.limits import MAX_FORM_FIELDS, MAX_FORM_FILES
from api.open311.documents import category_code_of
from gridsvc.db import new_id
from gridsvc.errors import UnfitServiceRequestError
from gridsvc.incidents.public.model import NewRequest

LONGEST_WORDS = 4_000
"""Characters of a description, by the specification."""
_LONGEST_TEXT = 500
_LOCATIONS = ("lat", "long", "address_id", "address_string")
_NAMESPACE = UUID("0c8f3c52-5a0e-5d3a-9d6f-1b1f6b0b9a31")
_ATTRIBUTE = re.compile(r"attribute\[([A-Za-z0-9_-]{1,60})\](?:\[\])?")
# As a page would show them: nothing. Line breaks and tabs are words' own.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")


async def read_form(request: Request) -> FormData:
    """Return the fields of the form, however often one comes; files are not among its kinds."""
    return await request.form(max_fields=MAX_FORM_FIELDS, max_files=MAX_FORM_FILES)


FormDep = Annotated[FormData, Depends(read_form)]


def text_of(form: FormData, name: str) -> str:
    """Return a field without spaces round it; empty where it was not sent, or is a file."""
    value = form.get(name)
    return _CONTROLS.sub("", value).replace("\r\n", "\n").strip() if isinstance(value, str) else ""


def request_of(form: FormData, *, repeated_as: str | None) -> NewRequest:
    """Return the report that a form holds. Whose it is, is not kept.

    Parameters
    ----------
    repeated_as
        What a repetition of the same report is known by: owner and ``Idempotency-Key``.

    Raises
    ------
    UnfitServiceRequestError
        What is missing or means nothing; each is named.
    """
    faults: list[str] = []
    service_code, words = text_of(form, "service_code"), text_of(form, "description")
    address_id, address = text_of(form, "address_id"), text_of(form, "address_string")
    if not service_code:
        faults.append("service_code was not provided.")
    if len(words) > LONGEST_WORDS:
        faults.append(f"description: longer than {LONGEST_WORDS} characters.")
    if len(address) > _LONGEST_TEXT:
        faults.append(f"address_string: longer than {_LONGEST_TEXT} characters.")
    lon, lat = _position(form, faults)
    if not any(text_of(form, name) for name in _LOCATIONS):
        faults.append("No location was provided: lat and long, address_id or address_string.")
    answers = _answers(form, faults)
    if faults:
        raise UnfitServiceRequestError(faults)
    return NewRequest(
        id=uuid5(_NAMESPACE, repeated_as) if repeated_as else new_id(),
        category_code=category_code_of(service_code),
        words=words,
        lon=lon,
        lat=lat,
        address_id=address_id or None,
        address=address or None,
        answers=answers,
    )


def _position(form: FormData, faults: list[str]) -> tuple[float | None, float | None]:
    """Return longitude and latitude: both, or neither."""
    texts = {name: text_of(form, name) for name in ("long", "lat")}
    if not any(texts.values()):
        return None, None
    if not all(texts.values()):
        faults.append("lat and long: one without the other.")
        return None, None
    lon, lat = _number(texts["long"]), _number(texts["lat"])
    if lon is None or lat is None or not (-180 <= lon <= 180 and -85 <= lat <= 85):
        faults.append("lat, long: not a position in degrees (WGS 84).")
        return None, None
    if (lon, lat) == (0.0, 0.0):
        faults.append("lat, long: 0, 0 stands for an unknown position.")
        return None, None
    return lon, lat


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _answers(form: FormData, faults: list[str]) -> Mapping[str, tuple[str, ...]]:
    """Return the values of ``attribute[code]`` and ``attribute[code][]``."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in form.multi_items():
        if not name.startswith("attribute["):
            continue
        matched = _ATTRIBUTE.fullmatch(name)
        if matched is None or not isinstance(value, str) or len(value) > _LONGEST_TEXT:
            faults.append("attribute: not of the form attribute[code], or too long.")
            continue
        text = _CONTROLS.sub("", value).strip()
        found[matched[1]] = (*found.get(matched[1], ()), text)
    return found
