"""What handlers are given: the principal, a session of the right scope, the language."""

from collections.abc import Iterator
from typing import Annotated, Literal, cast

from fastapi import Cookie, Depends, Query, Request

from gridsvc.access import service as access
from gridsvc.access.model import Principal
from gridsvc.db import NOBODY, Database, ScopedSession, clear_connection_errors
from gridsvc.errors import NotSignedInError
from gridsvc.settings import Settings

SESSION_COOKIE = "gridsvc_session"
Language = Literal["zh", "en"]


def get_settings(request: Request) -> Settings:
    """Return the settings that the app was made with."""
    return cast(Settings, request.app.state.settings)


def get_database(request: Request) -> Database:
    """Return the database that the app serves from."""
    return cast(Database, request.app.state.database)


SettingsDep = Annotated[Settings, Depends(get_settings)]
DatabaseDep = Annotated[Database, Depends(get_database)]


def get_token(request: Request) -> str | None:
    """Return the token of the request: from the header for clients, the cookie for browsers."""
    # Not by Header and Cookie: with parameters, every route would promise a 422 of their own.
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    found = token if scheme.lower() == "bearer" else request.cookies.get(SESSION_COOKIE)
    return found or None


TokenDep = Annotated[str | None, Depends(get_token)]


def allow_development_login(settings: SettingsDep) -> None:
    """Refuse login codes where the settings do not allow them."""
    if not settings.development_login:
        raise NotSignedInError


def find_principal(database: DatabaseDep, token: TokenDep) -> Principal | None:
    """Return who asks, or nobody."""
    if token is None:
        return None
    with clear_connection_errors(), database.session(NOBODY, read_only=True) as session:
        try:
            return access.authenticate(session, token)
        except NotSignedInError:
            return None


def get_principal(
    principal: Annotated[Principal | None, Depends(find_principal)],
) -> Principal:
    """Return who asks, or refuse."""
    if principal is None:
        raise NotSignedInError
    return principal


VisitorDep = Annotated[Principal | None, Depends(find_principal)]
PrincipalDep = Annotated[Principal, Depends(get_principal)]


def get_session(
    request: Request, database: DatabaseDep, principal: PrincipalDep
) -> Iterator[ScopedSession]:
    """Give one transaction in the caller's scope: read-only for GET, committed at the end."""
    read_only = request.method in {"GET", "HEAD"}
    with (
        clear_connection_errors(),
        database.session(principal.scope, read_only=read_only) as session,
        session.begin(),
    ):
        yield session


# Without scope="function" the answer would leave before the commit.
SessionDep = Annotated[ScopedSession, Depends(get_session, scope="function")]


def get_language(
    settings: SettingsDep,
    lang: Annotated[Language | None, Query(description="Language of the answer.")] = None,
    cookie: Annotated[str | None, Cookie(alias="lang", include_in_schema=False)] = None,
) -> Language:
    """Return the language: asked for, chosen before, or the default."""
    if lang:
        return lang
    return cookie if cookie in ("zh", "en") else settings.language  # type: ignore[return-value]


LanguageDep = Annotated[Language, Depends(get_language)]
