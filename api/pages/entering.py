"""Leading a browser on whose sign-in has begun: to where it wanted, or to the second factor."""

from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from api.credentials import PENDING, SESSION, delete_cookie, set_cookie
from gridsvc.access.model import Started

HOME = "/"


def enter(request: Request, started: Started, goal: str) -> Response:
    """Give a browser its cookie, and the next page.

    Parameters
    ----------
    goal
        A path of ours, as `api.pages.shell.own_path` lets pass; empty: the first page.
    """
    if started.stage == "second_factor":
        answer = go("/login/second-factor", next=goal)
        set_cookie(request, answer, PENDING, started)
        return answer
    answer = go(goal or HOME)
    set_cookie(request, answer, SESSION, started)
    delete_cookie(request, answer, PENDING)
    return answer


def go(path: str, **query: str) -> RedirectResponse:
    """Send a browser on to a page of ours; what is empty of the query is left out."""
    known = {key: value for key, value in query.items() if value}
    address = f"{path}?{urlencode(known)}" if known else path
    return RedirectResponse(address, status_code=HTTPStatus.SEE_OTHER)
