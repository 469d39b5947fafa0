"""Imports of territory over the wire."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Form
from pydantic import BaseModel, Field, StringConstraints

from api.schemas.accounts import Body
from geodata.stairwells import MOST_STAIRWELLS
from gridsvc.territory.importing.findings import Findings
from gridsvc.territory.importing.model import Decision, TerritoryImport

LayerName = Literal["compounds", "buildings", "stairwells", "households"]
LayerField = Annotated[LayerName, Form(description="What the rows are.")]
CRSField = Annotated[
    str,
    Form(
        max_length=60,
        description="What the file is in, as `EPSG:4526`, `gcj02` or `bd09`; absent: as the file "
        "says. It is never guessed.",
    ),
]
EntrancesCRSField = Annotated[
    str,
    Form(max_length=60, description="What the file of entrances is in, as `crs` of the other."),
]
EncodingField = Annotated[str, Form(max_length=40, description="Of its text, as `GB18030`.")]
SourceLayerField = Annotated[str, Form(max_length=200, description="Which of its layers.")]
ColumnsField = Annotated[
    str,
    Form(
        max_length=4000,
        description='Which column is which field, as `{"name": "小区名称"}`; absent: guessed.',
    ),
]
DayField = Annotated[date | None, Form(description="First day of the grids; absent: today.")]
StreetField = Annotated[
    int | None,
    Form(ge=100000000000, le=999999999999, description="Which sub-district, of several."),
]
FaultKind = Annotated[str, StringConstraints(pattern="^[a-z0-9-]{1,40}$")]


@dataclass(frozen=True)
class UploadIn:
    """What comes with a file, as fields of a form; what is empty is not declared."""

    layer: LayerField
    crs: CRSField = ""
    encoding: EncodingField = ""
    source_layer: SourceLayerField = ""
    columns: ColumnsField = ""
    valid_from: DayField = None
    street: StreetField = None
    entrances_crs: EntrancesCRSField = ""


class ImportOut(BaseModel):
    """A file of territory that somebody brought in."""

    id: UUID
    street_code: int
    layer: LayerName
    file_name: str
    format: str
    crs_name: str = Field(description="What its coordinates were in; empty where it has none.")
    columns: dict[str, str] = Field(description="Our field to the column of the file.")
    notes: list[str]
    entrance_count: int = Field(description="Entrances that came with it.")
    row_count: int
    staged_count: int
    valid_from: date
    status: Literal["staging", "staged", "applied", "discarded"]
    created_at: datetime
    applied_at: datetime | None
    result: dict[str, Any] | None = Field(description="Once applied: how many rows did what.")

    @classmethod
    def of(cls, found: TerritoryImport) -> "ImportOut":
        """Return an import as it is sent."""
        return cls.model_validate(vars(found))


class ReportOut(BaseModel):
    """What stands against a staged file, and what it would do."""

    errors: dict[str, int] = Field(description="Kind to count. While there are any, nothing goes.")
    warnings: dict[str, int] = Field(description="Kind to count; each kind has to be accepted.")
    repairs: int = Field(description="Invalid geometries that have a proposed repair.")
    added: int
    changed: int
    same: int
    rejected: int

    @classmethod
    def of(cls, findings: Findings) -> "ReportOut":
        """Return a report as it is sent."""
        return cls(
            errors=findings.errors,
            warnings=findings.warnings,
            repairs=len(findings.repairs),
            **findings.outcomes(),
        )


class ImportDetailOut(ImportOut):
    """A file with its report."""

    report: ReportOut | None = Field(description="Null unless the file is staged.")


class DecisionIn(Body):
    """What was decided after reading the report."""

    accept: list[FaultKind] = Field(
        default=[], max_length=60, description="Kinds of warnings to let through, or `all`."
    )
    repair: bool = Field(default=False, description="Use the proposed repairs.")
    cut_stairwells: bool = Field(
        default=False, description="Cut buildings that have no stairwells into some."
    )
    stairwells: int | None = Field(
        default=None,
        ge=1,
        le=MOST_STAIRWELLS,
        description="How many of them each building gets of which neither the file nor two of its "
        "entrances say it; absent: by its length.",
    )

    def decision(self) -> Decision:
        """Return it as the service takes it."""
        return Decision(frozenset(self.accept), self.repair, self.cut_stairwells, self.stairwells)
