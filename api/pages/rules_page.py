"""The page that says who may do what: made from the table that is enforced."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.routing import iter_route_contexts

from api.deps import LanguageDep, PrincipalDep
from api.pages.shell import render
from api.rules import RULES, Rule
from gridsvc.access.keys.service import KEY_ROLE
from gridsvc.access.model import ROLES

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

GROUPS = ("pages", "api", "programs")
_API = "/api/v1/"
_FOR_PROGRAMS = ("/ogc", "/tiles/", "/assets/", "/healthz", "/readyz")


@dataclass(frozen=True)
class Line:
    """A row of the table: what a route is for, and its rule."""

    method: str
    path: str
    summary: str
    rule: Rule

    @property
    def is_for_keys(self) -> bool:
        """Whether an API key, which has a role of its own, may read here."""
        reads = self.method == "GET" and self.rule.is_for_keys and KEY_ROLE in self.rule.roles
        return self.rule.is_open or reads


@dataclass(frozen=True)
class Group:
    """Routes of one kind."""

    name: str
    lines: Sequence[Line]


@router.get("/admin/rules")
def show_rules(request: Request, principal: PrincipalDep, language: LanguageDep) -> HTMLResponse:
    """Show who may do what."""
    return render(
        request,
        "rules.html",
        language,
        principal,
        tab="rules",
        groups=read_groups(request.app),
        roles=ROLES,
    )


def read_groups(app: FastAPI) -> tuple[Group, ...]:
    """Return every route with its rule: pages first, then the interfaces of programs."""
    summaries = _summaries(app)
    lines = [
        Line(method, path, summaries.get(f"{method} {path}", ""), rule)
        for (method, path), rule in ((key.split(" ", 1), rule) for key, rule in RULES.items())
    ]
    return tuple(
        Group(name, tuple(line for line in lines if _group_of(line.path) == name))
        for name in GROUPS
    )


def _group_of(path: str) -> str:
    if path.startswith(_API):
        return "api"
    return "programs" if path.startswith(_FOR_PROGRAMS) else "pages"


def _summaries(app: FastAPI) -> dict[str, str]:
    """Return the first line of what each route says of itself, by method and path."""
    return {
        f"{method} {context.path}": (getattr(context, "description", None) or "").partition("\n")[0]
        for context in iter_route_contexts(app.routes)
        for method in context.methods or ()
    }
