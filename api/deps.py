"""What handlers are given: the principal, a session of the right scope, the language."""

from collections.abc import Iterator
from typing import Annotated, Literal, cast

from fastapi import Cookie, Depends, Query, Request

from api.clients import client_name
from api.credentials import Credential, find_credential, require_csrf
from api.logs import route_of
from api.rules import Rule, rule_of
from gridsvc.access import service as access
from gridsvc.access.keys import service as keys
from gridsvc.access.model import Principal
from gridsvc.access.signing_in import Caller
from gridsvc.db import NOBODY, Database, ScopedSession, clear_connection_errors
from gridsvc.errors import (
    NotSignedInError,
    ReadOnlyKeyError,
    RoleNotAllowedError,
    WrongCredentialsError,
)
from gridsvc.settings import Settings
from gridsvc.vault import Vault

Language = Literal["zh", "en"]
_SAFE_METHODS = {"GET", "HEAD"}


def get_settings(request: Request) -> Settings:
    """Return the settings that the app was made with."""
    return cast(Settings, request.app.state.settings)


def get_database(request: Request) -> Database:
    """Return the database that the app serves from."""
    return cast(Database, request.app.state.database)


SettingsDep = Annotated[Settings, Depends(get_settings)]
DatabaseDep = Annotated[Database, Depends(get_database)]


CredentialDep = Annotated[Credential | None, Depends(find_credential)]


def get_vault(request: Request) -> Vault:
    """Return what hides phones and authenticators."""
    return cast(Vault, request.app.state.vault)


VaultDep = Annotated[Vault, Depends(get_vault)]


def get_caller(request: Request) -> Caller:
    """Return where the request comes from, for the throttle and the list of sign-ins."""
    address = request.client.host if request.client else None
    return Caller(address, client_name(request.headers.get("user-agent")))


CallerDep = Annotated[Caller, Depends(get_caller)]


def allow_development_login(settings: SettingsDep) -> None:
    """Refuse login codes where the settings do not allow them."""
    if not settings.development_login:
        raise WrongCredentialsError


def find_rule(request: Request) -> Rule | None:
    """Return the rule of the route that was asked for."""
    return rule_of(request.method, route_of(request.scope))


RuleDep = Annotated[Rule | None, Depends(find_rule)]


def _authenticate(
    database: DatabaseDep, credential: CredentialDep, rule: RuleDep
) -> Principal | None:
    if credential is None or (rule is not None and rule.is_for_machines):
        return None
    with clear_connection_errors(), database.session(NOBODY) as session, session.begin():
        try:
            if credential.kind == "key":
                return keys.authenticate(session, credential.secret)
            return access.authenticate(session, credential.secret)
        except NotSignedInError:
            return None


async def find_principal(
    request: Request,
    credential: CredentialDep,
    principal: Annotated[Principal | None, Depends(_authenticate)],
) -> Principal | None:
    """Return who asks, or nobody; a change by cookie must come from one of our pages."""
    if principal is not None and credential is not None:
        request.state.principal = principal
        if credential.kind == "cookie":
            await require_csrf(request, cookie=credential.secret)
    return principal


def get_principal(
    principal: Annotated[Principal | None, Depends(find_principal)],
) -> Principal:
    """Return who asks, or refuse."""
    if principal is None:
        raise NotSignedInError
    return principal


VisitorDep = Annotated[Principal | None, Depends(find_principal)]
PrincipalDep = Annotated[Principal, Depends(get_principal)]


def enforce(request: Request, visitor: VisitorDep, rule: RuleDep) -> None:
    """Refuse whoever the rule of the route does not name.

    Raises
    ------
    NotSignedInError
        The route is for people with an account.
    RoleNotAllowedError
        It is not for the caller's role, or has no rule.
    ReadOnlyKeyError
        An API key was used for a change, or for what only its owner may do.
    """
    if rule is not None and rule.is_open:
        return
    if visitor is None:
        raise NotSignedInError
    if rule is None:
        raise RoleNotAllowedError(visitor.role)
    # First of all: whoever sends a key for a change is told so, whatever its role.
    if visitor.is_read_only and not (rule.is_for_keys and request.method in _SAFE_METHODS):
        raise ReadOnlyKeyError
    if visitor.role not in rule.roles:
        raise RoleNotAllowedError(visitor.role)


def get_session(
    request: Request, database: DatabaseDep, principal: PrincipalDep
) -> Iterator[ScopedSession]:
    """Give one transaction in the caller's scope: read-only for GET, committed at the end."""
    read_only = principal.is_read_only or request.method in _SAFE_METHODS
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
