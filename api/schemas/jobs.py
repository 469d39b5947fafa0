"""Long work over the wire."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from gridsvc.jobs.model import Job


class JobOut(BaseModel):
    """Long work that somebody asked for."""

    id: UUID
    community_code: int = Field(description="Its territory; a sub-district's own code: all of it.")
    kind: str = Field(description="What is done, as `contacts.propose`.")
    status: Literal["queued", "running", "done", "failed", "cancelled"]
    stage: str = Field(description="What is being done just now, in a word; empty before.")
    done: int = Field(description="Steps of the stage that are done.")
    total: int = Field(description="All steps of the stage; 0: not counted yet.")
    arguments: dict[str, Any] = Field(description="What was asked for: codes, ids and counts.")
    result: dict[str, Any] | None = Field(description="Once done: codes, ids and counts.")
    error_code: str | None = Field(
        description="Once failed: what a problem's `type` would end with, as `job-crashed`."
    )
    is_cancelling: bool = Field(description="It was asked to stop, and will within seconds.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> "JobOut":
        """Return a job as it is sent."""
        return cls.model_validate(vars(job))
