"""From error class to status, and every error answered as problem+json (RFC 9457)."""

import logging
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from geodata import errors as geodata_errors
from geodata.errors import GeodataError
from gridsvc import errors as gridsvc_errors
from gridsvc.errors import GridsvcError

log = logging.getLogger(__name__)

# The nearest class of the error's family decides; a test fails for an error without a status.
STATUSES: dict[type[Exception], int] = {
    GeodataError: 422,
    GridsvcError: 500,
    geodata_errors.UnreadableFileError: 422,
    gridsvc_errors.NotSignedInError: 401,
    gridsvc_errors.RoleNotAllowedError: 403,
    gridsvc_errors.NotFoundError: 404,
    gridsvc_errors.ConflictError: 409,
    gridsvc_errors.DuplicateCodeError: 409,
    gridsvc_errors.IdempotencyMismatchError: 422,
    gridsvc_errors.OutsideTerritoryError: 422,
    gridsvc_errors.UnknownCategoryError: 422,
    gridsvc_errors.DatabaseDownError: 503,
    gridsvc_errors.DatabaseFullError: 503,
    gridsvc_errors.QueryTooSlowError: 503,
    gridsvc_errors.DatabaseNotReadyError: 503,
    gridsvc_errors.UnsafeRoleError: 503,
}
RETRY_AFTER_S = 5


class Problem(BaseModel):
    """What went wrong, in the form of RFC 9457."""

    type: str = Field(description="Stable name of the kind of problem, as a URI reference.")
    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="One sentence: what, where, what to do.")
    errors: list[dict[str, Any]] | None = Field(
        default=None, description="For invalid input: where, and what is wrong there."
    )


def status_of(error: Exception) -> int:
    """Return the status of an error by the nearest class that has one."""
    for kind in type(error).__mro__:
        if kind in STATUSES:
            return STATUSES[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def problem(
    status: int, code: str, detail: str, errors: list[dict[str, Any]] | None = None
) -> Response:
    """Return a problem answer."""
    body = Problem(
        type=f"/problems/{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        errors=errors,
    )
    headers = {"Cache-Control": "no-store"}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(
        orjson.dumps(body.model_dump(exclude_none=True)),
        status_code=status,
        media_type="application/problem+json",
        headers=headers,
    )


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI description of problem answers with these statuses."""
    content = {"application/problem+json": {"schema": Problem.model_json_schema()}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }


def install(app: FastAPI) -> None:
    """Answer every error of ours, of the framework and of nobody as a problem."""

    @app.exception_handler(GeodataError)
    @app.exception_handler(GridsvcError)
    def ours(_: Request, error: GeodataError | GridsvcError) -> Response:
        return problem(status_of(error), error.code, str(error))

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> Response:
        # What the client sent is not sent back: it may hold somebody's data.
        faults = [
            {"where": list(map(str, fault["loc"])), "what": fault["msg"]}
            for fault in error.errors()
        ]
        first = faults[0] if faults else {"where": [], "what": "invalid"}
        detail = f"{'.'.join(first['where'])}: {first['what']}."
        return problem(422, "invalid-request", detail, faults)

    @app.exception_handler(HTTPException)
    def framework(_: Request, error: HTTPException) -> Response:
        if error.status_code == HTTPStatus.BAD_REQUEST:  # FastAPI's answer to a body in no UTF-8
            return problem(422, "invalid-request", "body: not JSON in UTF-8.")
        code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        return problem(error.status_code, code, f"{error.detail}.")

    @app.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> Response:
        log.error("unexpected error", exc_info=error, extra={"path": request.url.path})
        return problem(500, "internal", "Something went wrong on our side; it has been logged.")
