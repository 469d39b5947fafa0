"""From error class to status, and every error answered as problem+json (RFC 9457)."""

import logging
import math
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.types import Scope

from api.logs import route_of
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
    gridsvc_errors.WrongDataKeyError: 500,
    gridsvc_errors.TooManyTriesError: 429,
    gridsvc_errors.BusyError: 503,
    gridsvc_errors.WrongCredentialsError: 401,
    gridsvc_errors.SecondFactorRequiredError: 401,
    gridsvc_errors.SecondFactorNotSetError: 401,
    gridsvc_errors.WeakPasswordError: 422,
    gridsvc_errors.CsrfError: 403,
    gridsvc_errors.ReadOnlyKeyError: 403,
    gridsvc_errors.BeyondOwnTerritoryError: 422,
    gridsvc_errors.InvalidAccountError: 422,
    gridsvc_errors.UnreadableListError: 422,
    gridsvc_errors.FaultyListError: 422,
    gridsvc_errors.SsoRefusedError: 401,
    gridsvc_errors.SsoUnavailableError: 503,
    gridsvc_errors.RecentSignInRequiredError: 401,
    gridsvc_errors.NoTerritoryError: 403,
    gridsvc_errors.StaleVersionError: 412,
    gridsvc_errors.VersionRequiredError: 428,
    gridsvc_errors.UnfitFilterError: 422,
    geodata_errors.UnwritableFileError: 503,
    gridsvc_errors.InvalidEditError: 422,
    gridsvc_errors.ShapeRefusedError: 422,
    gridsvc_errors.InvalidPeriodError: 422,
    gridsvc_errors.UnfitQueryError: 400,
    gridsvc_errors.CrowdedError: 503,
    gridsvc_errors.ImportNeedsStreetError: 403,
    gridsvc_errors.ImportBlockedError: 422,
    gridsvc_errors.StalePlanError: 412,
    gridsvc_errors.InvalidChoiceError: 422,
    gridsvc_errors.NothingToPrintError: 422,
    gridsvc_errors.InvalidMemberError: 422,
    gridsvc_errors.StaleMemberError: 412,
    gridsvc_errors.ListRefusedError: 422,
    gridsvc_errors.UnknownPlaceError: 422,
    gridsvc_errors.PhotoRefusedError: 422,
    gridsvc_errors.InvalidChannelError: 422,
    gridsvc_errors.LiveCrowdedError: 503,
    gridsvc_errors.StaleIncidentError: 412,
    gridsvc_errors.StepNotAllowedError: 403,
    gridsvc_errors.InvalidStepDetailError: 422,
    gridsvc_errors.InvalidTextError: 422,
    gridsvc_errors.RetiredCategoryError: 422,
    gridsvc_errors.InvalidPartyError: 422,
    gridsvc_errors.InvalidLinkError: 404,
    gridsvc_errors.UnfitServiceRequestError: 400,
    gridsvc_errors.ApiKeyRefusedError: 403,
}
RETRY_AFTER_S = 5
_KIND = "/problems/"
_TRY_AGAIN = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


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


class ProblemAnswer(Response):
    """A problem as an answer, with the name of its kind."""

    media_type = "application/problem+json"

    def __init__(self, body: Problem, code: str, headers: dict[str, str]) -> None:
        content = orjson.dumps(body.model_dump(exclude_none=True))
        super().__init__(content, body.status, headers)
        self.code = code


class RequestRefusedError(HTTPException):
    """The request is refused for its form, before any route sees it."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(status, detail)
        self.code = code


def problem(
    status: int,
    code: str,
    detail: str,
    errors: list[dict[str, Any]] | None = None,
    *,
    retry_after_s: float | None = None,
) -> ProblemAnswer:
    """Return a problem answer.

    Parameters
    ----------
    retry_after_s
        When to try again; default for 429 and 503 is `RETRY_AFTER_S`, for others not said.
    """
    return _answer(_problem(status, code, detail, errors), retry_after_s=retry_after_s)


def _answer(body: Problem, *, retry_after_s: float | None = None) -> ProblemAnswer:
    status = body.status
    headers = {"Cache-Control": "no-store"}
    if retry_after_s is None and status in _TRY_AGAIN:
        retry_after_s = RETRY_AFTER_S
    if retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(retry_after_s)))
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return ProblemAnswer(body, body.type.removeprefix(_KIND), headers)


def problem_of(
    error: GeodataError | GridsvcError | RequestValidationError | ValidationError,
) -> Problem:
    """Return what is said of an error of ours, or of a request that is none."""
    if isinstance(error, GeodataError | GridsvcError):
        faults = getattr(error, "faults", None)
        return _problem(status_of(error), error.code, str(error), faults)
    # What the client sent is not sent back: it may hold somebody's data.
    faults = [
        {"where": list(map(str, fault["loc"])), "what": fault["msg"]} for fault in error.errors()
    ]
    first = faults[0] if faults else {"where": [], "what": "invalid"}
    detail = f"{'.'.join(first['where'])}: {first['what']}."
    return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", detail, faults)


def _problem(
    status: int, code: str, detail: str, errors: list[dict[str, Any]] | None = None
) -> Problem:
    return Problem(
        type=f"{_KIND}{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        errors=errors,
    )


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI description of problem answers with these statuses."""
    content = {"application/problem+json": {"schema": Problem.model_json_schema()}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }


def answer_to(scope: Scope, error: Exception) -> Response:
    """Return the answer to an error that stops a request on its way to a route.

    It is the answer that a route's error would get: a page for browsers that open one.
    """
    handlers = scope["app"].exception_handlers
    kind = next(kind for kind in type(error).__mro__ if kind in handlers)
    answer: Response = handlers[kind](Request(scope), error)
    return answer


def _noted(request: Request, answer: ProblemAnswer) -> ProblemAnswer:
    """Return a problem, and leave its kind where `api.logs` finds it."""
    request.scope.setdefault("state", {})["problem"] = (int(answer.status_code), answer.code)
    return answer


def install(app: FastAPI) -> None:
    """Answer every error of ours, of the framework and of nobody as a problem."""

    @app.exception_handler(GeodataError)
    @app.exception_handler(GridsvcError)
    def ours(request: Request, error: GeodataError | GridsvcError) -> Response:
        retry_after_s = getattr(error, "retry_after_s", None)
        return _noted(request, _answer(problem_of(error), retry_after_s=retry_after_s))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        return _noted(request, _answer(problem_of(error)))

    @app.exception_handler(HTTPException)
    def framework(request: Request, error: HTTPException) -> Response:
        if isinstance(error, RequestRefusedError):
            return _noted(request, problem(error.status_code, error.code, error.detail))
        if "Too many f" in str(error.detail):  # files or fields, says the reader of forms
            words = f"body: {str(error.detail).rstrip('.')}."
            return _noted(request, problem(422, "too-many-parts", words))
        if "exceeded maximum size" in str(error.detail):  # says the same, of one field
            words = f"body: {str(error.detail).rstrip('.')}."
            return _noted(request, problem(413, "body-too-large", words))
        if error.status_code == HTTPStatus.BAD_REQUEST:  # FastAPI's answer to a body in no UTF-8
            return _noted(request, problem(422, "invalid-request", "body: not JSON in UTF-8."))
        code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        return _noted(request, problem(error.status_code, code, f"{error.detail}."))

    @app.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> Response:
        log.error("unexpected error", exc_info=error, extra={"route": route_of(request.scope)})
        detail = "Something went wrong on our side; it has been logged."
        return _noted(request, problem(500, "internal", detail))
