"""What the specification's documents hold, made from categories and public incidents."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml

import geodata.categories
from api.deps import Language
from geodata.categories import Category, Question
from gridsvc.incidents.public.model import Jurisdiction, Moment, PublicIncident
from gridsvc.local_time import LOCAL_TIME
from gridsvc.settings import Settings

PREFIX = "/open311/v2"
SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
Document = dict[str, Any]

_DATATYPES = {
    "text": "text",
    "number": "number",
    "yes_no": "singlevaluelist",
    "choice": "singlevaluelist",
}
_YES_NO = (("yes", {"zh": "是", "en": "Yes"}), ("no", {"zh": "否", "en": "No"}))
_DECIMALS = 6


@cache
def load_words() -> Mapping[str, Any]:
    """Return the words of this interface."""
    path = Path(__file__).with_name("words.yaml")
    return cast(Mapping[str, Any], yaml.safe_load(path.read_text(encoding="utf-8")))


def moment_of(instant: datetime) -> str:
    """Return a time in whole seconds with its offset, on the sub-district's clock.

    Examples
    --------
    >>> moment_of(datetime(2026, 11, 22, 12, 0, 0, 999_999, tzinfo=UTC))
    '2026-11-22T20:00:00+08:00'
    """
    return instant.astimezone(LOCAL_TIME).isoformat(timespec="seconds")


def service_code_of(category_code: str) -> str:
    """Return the code of a category as clients know it: strict ones take no dot.

    Examples
    --------
    >>> service_code_of("sanitation.pet_waste"), category_code_of("sanitation-pet_waste")
    ('sanitation-pet_waste', 'sanitation.pet_waste')
    """
    return category_code.replace(".", "-")


def category_code_of(service_code: str) -> str:
    """Return the category that a client means; a code with a dot is none of ours."""
    return "" if "." in service_code else service_code.replace("-", ".")


def _name(category: Category, language: Language) -> str:
    return category.name_zh if language == "zh" else category.name_en


def services_of(
    categories: Sequence[Category], questions: Mapping[str, Sequence[Question]], language: Language
) -> list[Document]:
    """Return the list of services.

    Parameters
    ----------
    questions
        What is asked beside the words, by category.
    """
    by_code = {category.code: category for category in categories}
    return [
        _service_of(category, by_code.get(category.parent or category.code, category), language)
        | {"metadata": bool(questions.get(category.code))}
        for category in categories
    ]


def _service_of(category: Category, group: Category, language: Language) -> Document:
    names = (category.name_zh, category.name_en, group.name_zh, group.name_en)
    own, wider = _name(category, language), _name(group, language)
    return {
        "service_code": service_code_of(category.code),
        "service_name": own,
        "description": own if category is group else f"{wider}: {own}",
        "metadata": False,
        "type": "realtime",
        # In both languages, so that whoever searches in one finds what is named in the other.
        "keywords": ", ".join(dict.fromkeys(names)),
        "group": wider,
    }


def definition_of(
    category: Category, questions: Sequence[Question], language: Language
) -> Document:
    """Return the definition of a service: what is asked beside the words, never a duty."""
    return {
        "service_code": service_code_of(category.code),
        "attributes": [
            _attribute_of(question, order, language) for order, question in enumerate(questions, 1)
        ],
    }


def _attribute_of(question: Question, order: int, language: Language) -> Document:
    values = [(one.code, {"zh": one.zh, "en": one.en}) for one in question.choices]
    if question.kind == "yes_no":
        values = list(_YES_NO)
    described: Document = {
        "variable": True,
        "code": question.code,
        "datatype": _DATATYPES[question.kind],
        "required": False,
        "datatype_description": "",
        "order": order,
        "description": question.zh if language == "zh" else question.en,
    }
    if values:
        described["values"] = [{"key": key, "name": names[language]} for key, names in values]
    return described


def request_of(
    incident: PublicIncident, jurisdiction: Jurisdiction, language: Language, *, is_extended: bool
) -> Document:
    """Return a service request: without words, and no place finer than a compound.

    Parameters
    ----------
    is_extended
        With the code of the grid, the very status, when it is due, and the history.
    """
    places = (incident.compound_name, incident.community_name, jurisdiction.name)
    document: Document = {
        "service_request_id": str(incident.id),
        "status": "closed" if incident.is_closed else "open",
        "status_notes": _word("statuses", incident.status, language),
        "service_name": incident.name_zh if language == "zh" else incident.name_en,
        "service_code": service_code_of(incident.category_code),
        "description": "",
        "agency_responsible": incident.community_name,
        "service_notice": "",
        "requested_datetime": moment_of(incident.reported_at),
        "updated_datetime": moment_of(incident.updated_at),
    }
    if incident.due_at is not None:  # an empty one would be no time
        document["expected_datetime"] = moment_of(incident.due_at)
    document |= {
        "address": ", ".join(place for place in places if place),
        "address_id": _grid_of(incident),
        "zipcode": "",
        "lat": round(incident.lat, _DECIMALS),
        "long": round(incident.lon, _DECIMALS),
        "media_url": "",
    }
    return document | _extensions_of(incident, language) if is_extended else document


def _grid_of(incident: PublicIncident) -> str:
    return incident.compound_code or str(incident.community_code)


def _extensions_of(incident: PublicIncident, language: Language) -> Document:
    attributes: Document = {
        "grid_code": _grid_of(incident),
        "community_code": str(incident.community_code),
        "status": incident.status,
    }
    if incident.due_at is not None:
        attributes["due_datetime"] = moment_of(incident.due_at)
    notes = [_note_of(one, language) for one in incident.history]
    return {"extended_attributes": attributes, "notes": notes}


def _note_of(one: Moment, language: Language) -> Document:
    return {
        "datetime": moment_of(one.at),
        "description": _word("steps", one.step, language),
        "type": one.step,
    }


def _word(kind: str, name: str, language: Language) -> str:
    # A status that is newer than this list is told by its code.
    return str(load_words()[kind].get(name, {}).get(language, name))


def taken_of(incident_id: object, language: Language) -> list[Document]:
    """Return the answer to a report that was taken."""
    notice = load_words()["taken"][language]
    return [{"service_request_id": str(incident_id), "service_notice": notice, "account_id": ""}]


def discovery_of(
    settings: Settings, jurisdictions: Sequence[Jurisdiction], language: Language
) -> Document:
    """Return the discovery document."""
    words, origin = load_words()["discovery"], settings.public_origin
    offices = ", ".join(f"{one.name} ({one.code})" for one in jurisdictions)
    changed_at = _catalogue_changed_at()
    return {
        "changeset": changed_at,
        "contact": f"{words['contact'][language]}: {offices or origin}",
        "key_service": f"{words['key_service'][language]}: {origin}/account",
        "endpoints": [
            {
                "specification": SPECIFICATION,
                "url": f"{origin}{PREFIX}",
                "changeset": changed_at,
                "type": "test" if settings.development_login else "production",
                "formats": ["text/xml", "application/json"],
            }
        ],
    }


@cache
def _catalogue_changed_at() -> str:
    """Return when the services last changed: when the catalogue's file did."""
    catalogue = Path(geodata.categories.__file__).with_suffix(".yaml")
    return moment_of(datetime.fromtimestamp(catalogue.stat().st_mtime, UTC))
