"""Signing in with a development code, until accounts come."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from api.deps import (
    SESSION_COOKIE,
    DatabaseDep,
    PrincipalDep,
    TokenDep,
    allow_development_login,
)
from api.errors import responses
from gridsvc.access import service
from gridsvc.db import NOBODY, clear_connection_errors
from gridsvc.errors import NotSignedInError

router = APIRouter(prefix="/api/v1/session", tags=["access"])


class SignInIn(BaseModel):
    """A login code, as ``./grid demo`` prints it."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, Field(min_length=8, max_length=100)]


class IntervalOut(BaseModel):
    """A range of administrative codes, both ends included."""

    lo: int
    hi: int


class PrincipalOut(BaseModel):
    """Who is signed in, and for which territory."""

    name: str
    role: str
    territories: list[IntervalOut]


class SignInOut(BaseModel):
    """The token to send as ``Authorization: Bearer``; browsers get it as a cookie."""

    token: str


@router.post(
    "",
    response_model=SignInOut,
    status_code=201,
    dependencies=[Depends(allow_development_login)],
    responses=responses(401, 403, 422, 503),
)
def sign_in(database: DatabaseDep, body: SignInIn, response: Response) -> SignInOut:
    """Sign in."""
    with clear_connection_errors(), database.session(NOBODY) as session, session.begin():
        token = service.sign_in(session, body.code)
    response.set_cookie(
        SESSION_COOKIE, token, httponly=True, samesite="strict", max_age=12 * 3600, path="/"
    )
    response.headers["Cache-Control"] = "no-store"
    return SignInOut(token=token)


@router.get("", response_model=PrincipalOut, responses=responses(401, 503))
def get_principal(principal: PrincipalDep) -> PrincipalOut:
    """Say who is signed in."""
    territories = [
        IntervalOut(lo=interval.lo, hi=interval.hi) for interval in principal.scope.intervals
    ]
    return PrincipalOut(name=principal.name, role=principal.role, territories=territories)


@router.delete("", status_code=204, responses=responses(401, 403, 503))
def sign_out(database: DatabaseDep, token: TokenDep, response: Response) -> None:
    """Sign out; the token ends at once."""
    if token is None:
        raise NotSignedInError
    with clear_connection_errors(), database.session(NOBODY) as session, session.begin():
        service.sign_out(session, token)
    response.delete_cookie(SESSION_COOKIE, path="/")
