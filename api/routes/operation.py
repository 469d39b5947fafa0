"""Whether the service lives, and whether it can serve."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from api.deps import DatabaseDep
from api.errors import responses
from gridsvc import setup

router = APIRouter(tags=["operation"])


class HealthOut(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class ReadyOut(BaseModel):
    """The database answers, is migrated, and its roles are safe."""

    status: Literal["ready"] = "ready"
    revision: str
    is_leakproof: bool


@router.get("/healthz", response_model=HealthOut, operation_id="get_health")
def get_health() -> HealthOut:
    """Say that the process is alive."""
    return HealthOut()


@router.get(
    "/readyz", response_model=ReadyOut, operation_id="get_readiness", responses=responses(503)
)
def get_readiness(database: DatabaseDep) -> ReadyOut:
    """Say whether requests can be served."""
    readiness = setup.check(database.engine)
    return ReadyOut(revision=readiness.head, is_leakproof=readiness.is_leakproof)
