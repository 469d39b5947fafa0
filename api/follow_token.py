"""The token by which a report is followed: in a header or a cookie, never in an address."""

from typing import Annotated

from fastapi import Depends, Header, Request, Response

from api.credentials import cookie_name
from gridsvc.errors import NotFoundError
from gridsvc.incidents.reporting.model import FollowToken

FOLLOW = "gridsvc_follow"
_KEPT_S = 90 * 24 * 3600

TokenHeader = Annotated[
    str | None,
    Header(
        alias="Follow-Token",
        max_length=200,
        description="The token of a report's link: what stands behind its #.",
    ),
]


def cookie_token(request: Request) -> FollowToken | None:
    """Return the token of the report that a browser follows, if it has any."""
    return FollowToken.read(request.cookies.get(cookie_name(request, FOLLOW), ""))


def _find(request: Request, header: TokenHeader = None) -> FollowToken | None:
    return FollowToken.read(header) if header else cookie_token(request)


FoundToken = Annotated[FollowToken | None, Depends(_find)]


def require(token: FollowToken | None, incident_id: object) -> FollowToken:
    """Return the token of the very report that is asked for.

    Raises
    ------
    NotFoundError
        There is none, or it is another one's: nobody is told which.
    """
    if token is None or token.incident_id != incident_id:
        raise NotFoundError("report", incident_id)
    return token


def set_follow_cookie(request: Request, answer: Response, token: str) -> None:
    """Let a browser follow a report; scripts cannot read the token."""
    answer.set_cookie(
        cookie_name(request, FOLLOW),
        token,
        max_age=_KEPT_S,
        path="/",
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="lax",
    )


def delete_follow_cookie(request: Request, answer: Response) -> None:
    """Let a browser forget the report that it follows."""
    answer.delete_cookie(
        cookie_name(request, FOLLOW),
        path="/",
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="lax",
    )
