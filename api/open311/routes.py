"""The six methods of GeoReport v2, and discovery."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import Response

from api.deps import DatabaseDep, LanguageDep, SettingsDep
from api.idempotency import IdempotencyKey
from api.open311 import asking, documents
from api.open311.asking import incident_id_of
from api.open311.documents import PREFIX, category_code_of
from api.open311.faults import install_faults
from api.open311.form import FormDep, request_of, text_of
from api.open311.writing import Form, answer
from gridsvc.db import NOBODY, Interval, ScopedSession, act_for, clear_connection_errors
from gridsvc.errors import NotFoundError
from gridsvc.incidents.public import filing, service
from gridsvc.incidents.public.model import Jurisdiction, PublicIncident
from gridsvc.overview.incidents import LISTENERS

router = APIRouter(prefix=PREFIX, tags=["open311"], include_in_schema=False)


@dataclass(frozen=True)
class Counter:
    """Where the public is served: one sub-district, as role resident."""

    session: ScopedSession
    jurisdiction: Jurisdiction


def open_counter(
    database: DatabaseDep, jurisdiction_id: Annotated[str | None, Query()] = None
) -> Iterator[Counter]:
    """Give a read-only transaction over the sub-district that was asked for."""
    with (
        clear_connection_errors(),
        database.session(NOBODY, read_only=True) as session,
        session.begin(),
    ):
        code = (jurisdiction_id or "").strip() or None
        jurisdiction = service.get_jurisdiction(session, code)
        act_for(session, Interval.of(jurisdiction.code))
        yield Counter(session, jurisdiction)


CounterDep = Annotated[Counter, Depends(open_counter, scope="function")]


@router.get("/discovery.{format}")
def discover(
    format: Form,  # noqa: A002 - the specification's name
    database: DatabaseDep,
    settings: SettingsDep,
    language: LanguageDep,
) -> Response:
    """Say what is served, where, and how to get a key."""
    with (
        clear_connection_errors(),
        database.session(NOBODY, read_only=True) as session,
        session.begin(),
    ):
        served = service.list_jurisdictions(session)
    return answer(format, "discovery", documents.discovery_of(settings, served, language))


@router.get("/services.{format}")
def list_services(
    format: Form,  # noqa: A002
    counter: CounterDep,
    language: LanguageDep,
) -> Response:
    """List what can be reported: the categories that are for everybody."""
    found = service.list_services(counter.session)
    questions = {one.code: filing.questions_of(one.code) for one in found}
    return answer(format, "services", documents.services_of(found, questions, language))


@router.get("/services/{code}.{format}")
def get_service(
    code: str,
    format: Form,  # noqa: A002
    counter: CounterDep,
    language: LanguageDep,
) -> Response:
    """Say what is asked for one kind beside the words."""
    category = service.get_service(counter.session, category_code_of(code))
    questions = filing.questions_of(category.code)
    made = documents.definition_of(category, questions, language)
    return answer(format, "service_definition", made)


@router.get("/requests.{format}")
def list_requests(
    request: Request,
    format: Form,  # noqa: A002
    counter: CounterDep,
    language: LanguageDep,
) -> Response:
    """List public incidents, the newest first: of 90 days, and at most 1,000."""
    wish = asking.read_wish(request.query_params, now=datetime.now(UTC))
    found = service.list_public(counter.session, wish.query)
    return _requests(format, found, counter, language, is_extended=wish.is_extended)


@router.get("/requests/{incident_id}.{format}")
def get_request(
    request: Request,
    incident_id: str,
    format: Form,  # noqa: A002
    counter: CounterDep,
    language: LanguageDep,
) -> Response:
    """Return one public incident, as a list."""
    found = _find(counter, incident_id)
    is_extended = asking.is_extended(request.query_params)
    return _requests(format, [found], counter, language, is_extended=is_extended)


@router.get("/tokens/{incident_id}.{format}")
def get_token(
    incident_id: str,
    format: Form,  # noqa: A002
    counter: CounterDep,
) -> Response:
    """Return the request of a token: reports are taken at once, so each is its own token."""
    found = _find(counter, incident_id)
    made = [{"service_request_id": str(found.id), "token": str(found.id)}]
    return answer(format, "service_requests", made)


@router.post("/requests.{format}")
def add_request(
    request: Request,
    format: Form,  # noqa: A002
    database: DatabaseDep,
    form: FormDep,
    language: LanguageDep,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Take a report of a program with an API key."""
    with clear_connection_errors():
        principal = filing.authenticate(database, text_of(form, "api_key") or _bearer(request))
        known_as = f"{principal.account_id}\n{idempotency_key}" if idempotency_key else None
        filed = filing.file(
            database,
            principal,
            request_of(form, repeated_as=known_as),
            jurisdiction=text_of(form, "jurisdiction_id") or None,
            on_event=LISTENERS,
        )
    return answer(format, "service_requests", documents.taken_of(filed.id, language))


def _bearer(request: Request) -> str:
    return request.headers.get("authorization", "").partition(" ")[2].strip()


def _find(counter: Counter, text: str) -> PublicIncident:
    incident_id = incident_id_of(text)
    if incident_id is None:
        raise NotFoundError("service request", "of this id")
    return service.get_public(counter.session, incident_id)


def _requests(
    form: Form,
    incidents: list[PublicIncident],
    counter: Counter,
    language: LanguageDep,
    *,
    is_extended: bool,
) -> Response:
    made = [
        documents.request_of(one, counter.jurisdiction, language, is_extended=is_extended)
        for one in incidents
    ]
    return answer(form, "service_requests", made)


def install_open311(app: FastAPI) -> None:
    """Serve the routes, and answer their errors in the specification's form."""
    app.include_router(router)
    install_faults(app)
