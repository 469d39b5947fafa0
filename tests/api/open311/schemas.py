"""Strict schemas of every answer, of our own writing: XML Schema and JSON Schema."""

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import xmlschema

_XSD = Path(__file__).with_name("georeport.xsd")
ROOTS = {
    "Discovery": "discovery",
    "Services": "services",
    "Definition": "service_definition",
    "Errors": "errors",
    **dict.fromkeys(("Request", "Extended", "Taken", "Token"), "service_requests"),
}
"""What an answer can be, and its outermost element."""

_WORDS = {"type": "string", "minLength": 1}
_TEXT = {"type": "string"}
_IDENTIFIER = {"type": "string", "pattern": r"^[A-Za-z0-9_\-]+$"}
_MOMENT = {
    "type": "string",
    "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})$",
    "format": "date-time",
}
_GRID = {"type": "string", "pattern": r"^\d{12}(\d{3})?$"}


def _strict(fields: dict[str, Any], *optional: str) -> dict[str, Any]:
    """Return the schema of an object with these fields, and no others."""
    return {
        "type": "object",
        "properties": fields,
        "required": [name for name in fields if name not in optional],
        "additionalProperties": False,
    }


def _many(item: dict[str, Any], **bounds: int) -> dict[str, Any]:
    return {"type": "array", "items": item, **bounds}


_FIELDS: dict[str, Any] = {
    "service_request_id": _IDENTIFIER,
    "status": {"enum": ["open", "closed"]},
    "status_notes": _WORDS,
    "service_name": _WORDS,
    "service_code": _IDENTIFIER,
    "description": {"type": "string", "maxLength": 4000},
    "agency_responsible": _WORDS,
    "service_notice": _TEXT,
    "requested_datetime": _MOMENT,
    "updated_datetime": _MOMENT,
    "expected_datetime": _MOMENT,
    "address": _WORDS,
    "address_id": _GRID,
    "zipcode": _TEXT,
    "lat": {"type": "number", "minimum": -90, "maximum": 90},
    "long": {"type": "number", "minimum": -180, "maximum": 180},
    "media_url": _TEXT,
}
_EXTENSIONS = {
    "extended_attributes": _strict(
        {
            "grid_code": _GRID,
            "community_code": _GRID,
            "status": _IDENTIFIER,
            "due_datetime": _MOMENT,
        },
        "due_datetime",
    ),
    "notes": _many(
        _strict({"datetime": _MOMENT, "description": _WORDS, "type": _IDENTIFIER}), minItems=1
    ),
}
_ATTRIBUTE = _strict(
    {
        "variable": {"type": "boolean"},
        "code": _IDENTIFIER,
        "datatype": {
            "enum": ["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]
        },
        "required": {"type": "boolean"},
        "datatype_description": _TEXT,
        "order": {"type": "integer", "minimum": 1},
        "description": _WORDS,
        "values": _many(_strict({"key": _IDENTIFIER, "name": _WORDS}), minItems=1),
    },
    "values",
)
_SCHEMAS: dict[str, dict[str, Any]] = {
    "Discovery": _strict(
        {
            "changeset": _MOMENT,
            "contact": _WORDS,
            "key_service": _WORDS,
            "endpoints": _many(
                _strict(
                    {
                        "specification": {"type": "string", "format": "uri"},
                        "url": {"type": "string", "format": "uri"},
                        "changeset": _MOMENT,
                        "type": {"enum": ["production", "test"]},
                        "formats": _many(_WORDS, minItems=1),
                    }
                ),
                minItems=1,
            ),
        }
    ),
    "Services": _many(
        _strict(
            {
                "service_code": _IDENTIFIER,
                "service_name": _WORDS,
                "description": _WORDS,
                "metadata": {"type": "boolean"},
                "type": {"const": "realtime"},
                "keywords": _WORDS,
                "group": _WORDS,
            }
        )
    ),
    "Definition": _strict({"service_code": _IDENTIFIER, "attributes": _many(_ATTRIBUTE)}),
    "Request": _many(_strict(_FIELDS, "expected_datetime"), maxItems=1000),
    "Extended": _many(_strict({**_FIELDS, **_EXTENSIONS}, "expected_datetime"), maxItems=1000),
    "Taken": _many(
        _strict({"service_request_id": _IDENTIFIER, "service_notice": _TEXT, "account_id": _TEXT}),
        minItems=1,
        maxItems=1,
    ),
    "Token": _many(
        _strict({"service_request_id": _IDENTIFIER, "token": _IDENTIFIER}), minItems=1, maxItems=1
    ),
    "Errors": _many(
        _strict({"code": {"type": "integer", "minimum": 400}, "description": _WORDS}), minItems=1
    ),
}


@cache
def _xml_schema(kind: str) -> xmlschema.XMLSchema:
    request = kind if ROOTS[kind] == "service_requests" else "Request"
    return xmlschema.XMLSchema(_XSD.read_text(encoding="utf-8").replace("REQUEST", request, 2))


@cache
def _json_schema(kind: str) -> jsonschema_rs.Validator:
    draft = "https://json-schema.org/draft/2020-12/schema"
    return jsonschema_rs.validator_for({"$schema": draft, **_SCHEMAS[kind]}, validate_formats=True)


def faults_of(kind: str, form: str, content: bytes) -> list[str]:
    """Return in what an answer breaks the schema of its kind."""
    if form == "json":
        return [error.message for error in _json_schema(kind).iter_errors(orjson.loads(content))]
    if not content.startswith(b'<?xml version="1.0" encoding="utf-8"?>'):
        return ["no XML declaration"]
    root = xmlschema.XMLResource(content).root.tag
    faults = [] if root == ROOTS[kind] else [f"the root is {root}"]
    schema = _xml_schema(kind)
    return faults + [str(error.reason) for error in schema.iter_errors(content.decode())]
