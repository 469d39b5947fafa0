"""Errors as the specification has them: a list of codes and sentences, in the form asked for."""

from collections.abc import Callable
from http import HTTPStatus
from typing import cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from api.errors import Problem
from api.open311.documents import PREFIX
from api.open311.writing import Form, answer
from geodata.errors import GeodataError
from gridsvc.errors import GridsvcError

Handler = Callable[[Request, Exception], Response]

_KINDS = (GeodataError, GridsvcError, RequestValidationError, HTTPException, Exception)
# What is wrong on the way to us, or with us, keeps its status; of the rest the specification
# knows three.
_KEPT = {400, 403, 404, 405, 408, 413, 414, 429, 431}
_OWN_HEADERS = {"content-type", "content-length", "www-authenticate"}


def install_faults(app: FastAPI) -> None:
    """Answer problems under our path as the specification's errors.

    To be called after the other translators, whose answers it translates.
    """
    for kind in _KINDS:
        handler = cast(Handler, app.exception_handlers[kind])
        app.add_exception_handler(kind, _for_clients(handler))


def _for_clients(handler: Handler) -> Handler:
    def answered(request: Request, error: Exception) -> Response:
        made = handler(request, error)
        if not request.url.path.startswith(f"{PREFIX}/"):
            return made
        return errors_of(Problem.model_validate_json(bytes(made.body)), made, request.url.path)

    return answered


def errors_of(problem: Problem, made: Response, path: str) -> Response:
    """Return a problem as a list of errors; XML, which every client reads, unless JSON is asked."""
    form: Form = "json" if path.endswith(".json") else "xml"
    status = _status_of(problem.status)
    sentences = [_sentence(fault) for fault in problem.errors or ()] or [problem.detail]
    errors = [{"code": status, "description": sentence} for sentence in sentences]
    kept = {name: value for name, value in made.headers.items() if name not in _OWN_HEADERS}
    return answer(form, "errors", errors, status=status, headers=kept)


def _status_of(status: int) -> int:
    if status == HTTPStatus.UNAUTHORIZED:
        return HTTPStatus.FORBIDDEN
    return status if status in _KEPT or status >= 500 else HTTPStatus.BAD_REQUEST


def _sentence(fault: dict[str, object]) -> str:
    where = fault.get("where")
    name = f"{where[-1]}: " if isinstance(where, list) and where else ""
    return f"{name}{fault['what']}"
