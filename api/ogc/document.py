"""The API definition of /ogc: OpenAPI 3.0, which map clients read for page sizes and formats.

It is a document of its own: the library names its operations and answers in its own way, and ours
(`/api/v1/openapi.json`) promises only what our tests hold every answer to.
"""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi

from api.errors import Problem
from api.ogc.filters import OPERATORS

_PROBLEMS = (400, 401, 403, 404, 422, 503)


def describe(router: APIRouter, *, server: str) -> dict[str, Any]:
    """Return the document of a router's routes.

    Parameters
    ----------
    server
        Address that the paths follow.
    """
    found = get_openapi(
        title="OGC API of gridsvc",
        version="1.0",
        summary="Features and vector tiles of the caller's territory.",
        routes=router.routes,
    )
    found["paths"] = {path or "/": operations for path, operations in found["paths"].items()}
    for operations in found["paths"].values():
        for operation in operations.values():
            _tell_truth(operation)
    found["components"]["schemas"]["Problem"] = Problem.model_json_schema()
    document: dict[str, Any] = _as_version_3_0(found)
    document["openapi"] = "3.0.3"
    document["info"].pop("summary", None)
    document["servers"] = [{"url": server}]
    schemes = {"key": {"type": "http", "scheme": "basic"}, "token": {"type": "http"}}
    schemes["token"]["scheme"] = "bearer"
    document["components"]["securitySchemes"] = schemes
    document["security"] = [{"key": []}, {"token": []}]
    return document


def _tell_truth(operation: dict[str, Any]) -> None:
    """Leave out pages, and say which problems and filters there are."""
    for answer in operation["responses"].values():
        answer.get("content", {}).pop("text/html", None)
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    operation["responses"] |= {
        str(status): {"description": HTTPStatus(status).phrase, "content": problem}
        for status in _PROBLEMS
    }
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == "f":
            _drop_pages(parameter["schema"])
        if parameter["name"] == "filter":
            operators = ", ".join(sorted(OPERATORS))
            parameter["description"] = f"CQL2 with these operators only: {operators}."


def _drop_pages(schema: dict[str, Any]) -> None:
    for part in (schema, *schema.get("anyOf", ())):
        if "enum" in part:
            part["enum"] = [name for name in part["enum"] if name != "html"]


def _as_version_3_0(node: Any) -> Any:
    """Return a part of the document in the words of OpenAPI 3.0, whose schemas know no null."""
    if isinstance(node, list):
        return [_as_version_3_0(part) for part in node]
    if not isinstance(node, dict):
        return node
    made = {name: _as_version_3_0(part) for name, part in node.items()}
    if isinstance(made.get("anyOf"), list):
        kinds = [kind for kind in made["anyOf"] if kind != {"type": "null"}]
        if len(kinds) < len(made["anyOf"]):
            made["nullable"] = True
        made["anyOf"] = kinds
        if len(kinds) == 1 and "$ref" not in kinds[0]:
            made |= made.pop("anyOf")[0]
    if "const" in made:
        made["enum"] = [made.pop("const")]
    if "prefixItems" in made:
        made.pop("prefixItems")
        made.setdefault("items", {})
    for bound, plain in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(made.get(bound), int | float) and not isinstance(made[bound], bool):
            made[plain] = made[bound]
            made[bound] = True
    return made
