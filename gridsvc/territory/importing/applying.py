"""Applying: everything of a staged file goes in, or nothing."""

from dataclasses import asdict, dataclass
from functools import partial

import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame, Series
from sqlalchemy.orm import Session

from geodata.codes import COMMUNITY_DIGITS
from geodata.errors import InvalidParameterError
from geodata.quality import ACCEPT_ALL, QualityReport, apply_repairs, load_kinds
from gridsvc.audit import service as audit
from gridsvc.errors import ImportBlockedError, ImportStateError, TerritoryChangedError
from gridsvc.territory import store as territory
from gridsvc.territory.importing import applying_store, staged_store, store
from gridsvc.territory.importing.cutting import Cut, cut_stairwells
from gridsvc.territory.importing.findings import OWN_KINDS, Findings
from gridsvc.territory.importing.households import counts_to_write
from gridsvc.territory.importing.layers import GRID_LAYERS
from gridsvc.territory.importing.looking import look_at
from gridsvc.territory.importing.model import Applied, Decision, TerritoryImport
from gridsvc.territory.importing.source import Source, as_stored, fields_of_rows


@dataclass(frozen=True)
class Application:
    """What an import did, and the report that let it through."""

    applied: Applied
    findings: Findings


def require_kinds(accepted: frozenset[str]) -> None:
    """Refuse to accept a kind of warning that there is not.

    Raises
    ------
    InvalidParameterError
        A word is neither a kind nor ``all``.
    """
    known = {ACCEPT_ALL, *load_kinds(), *OWN_KINDS}
    for kind in sorted(accepted - known):
        rule = f"'{ACCEPT_ALL}' or a kind that the report names"
        raise InvalidParameterError("accept", kind, rule)


def apply(
    session: Session,
    found: TerritoryImport,
    decision: Decision,
    *,
    source: Source | None = None,
) -> Application:
    """Write a staged file into the territory, in the caller's transaction.

    What was reported is found out again here, while nobody else changes the territory.

    Parameters
    ----------
    source
        The very file, where it was just read: its rows are those that are staged.

    Raises
    ------
    ImportStateError
        The import is not staged, or no longer.
    ImportBlockedError
        Errors, or warnings that are not accepted; nothing is written.
    InvalidParameterError
        There is no such kind of warning.
    TerritoryChangedError
        A bulk load went past the lock; nothing is written.
    """
    require_kinds(decision.accepted)
    street_code, import_id = found.street_code, found.id
    territory.lock_territory(session, street_code)
    status = store.lock_import(session, street_code, import_id)
    if status != "staged":
        raise ImportStateError(import_id, status or "discarded")
    if source is None:
        rows = staged_store.read_staged(session, street_code, import_id)
        entrances = store.read_entrances(session, street_code, import_id)
    else:
        rows, entrances = source.rows, source.entrances
    look = partial(
        look_at, session, found.layer, street_code, valid_from=found.valid_from, entrances=entrances
    )
    findings = look(rows)
    repaired = 0
    if decision.repair and len(findings.repairs):
        rows, repaired = _repair(session, found, rows, findings)
        findings = look(rows)
    _require_let_through(findings, decision)
    with applying_store.joining_by_hash(session):
        left_out = findings.plan[findings.plan["outcome"] == "rejected"]
        staged_store.write_left_out(session, street_code, import_id, left_out)
        stairwells = _write(session, found, rows, findings)
    cut = Cut()
    if decision.cut_stairwells and found.layer == "buildings":
        counts = _counts_in(rows, findings.plan)
        cut = cut_stairwells(session, found, counts, findings.doors, stated=decision.stairwells)
    applied = Applied(
        **findings.outcomes(),
        repaired=repaired,
        cut=cut.stairwells,
        by_entrances=cut.by_entrances,
        stairwells=stairwells,
        accepted=tuple(sorted(decision.accepted)),
    )
    _finish(session, found, applied, findings)
    return Application(applied, findings)


def _require_let_through(findings: Findings, decision: Decision) -> None:
    refused = findings.refused(decision.accepted)
    if refused:
        warnings = {kind: n for kind, n in findings.warnings.items() if kind in refused}
        raise ImportBlockedError(findings.errors, warnings, findings)


def _repair(
    session: Session, found: TerritoryImport, rows: GeoDataFrame, findings: Findings
) -> tuple[GeoDataFrame, int]:
    """Put the proposed repairs in place, and return the rows and how many were repaired."""
    repaired = apply_repairs(rows, QualityReport(findings.faults, findings.repairs))
    repaired = repaired.set_geometry(as_stored(repaired.geometry, GRID_LAYERS[found.layer]))
    chosen = repaired[repaired["row"].isin(findings.repairs["row"])]
    staged_store.write_shapes(session, found.street_code, found.id, chosen)
    return repaired, len(chosen)


def _write(session: Session, found: TerritoryImport, rows: GeoDataFrame, findings: Findings) -> int:
    """Do what the plan says, and return the stairwells whose households changed."""
    reason = f"import {found.file_name}"
    if found.layer == "households":
        counts = counts_to_write(session, found.street_code, rows)
        return applying_store.apply_households(
            session, counts, valid_from=found.valid_from, reason=reason
        )
    planned = findings.outcomes()
    done = applying_store.apply(
        session,
        layer=found.layer,
        street_code=found.street_code,
        import_id=found.id,
        plan=findings.plan,
        valid_from=found.valid_from,
        reason=reason,
    )
    if done != (planned["added"], planned["changed"]):
        raise TerritoryChangedError
    return 0


def _counts_in(rows: GeoDataFrame, plan: DataFrame) -> Series:
    """Return how many stairwells a file says that its buildings have, by code, nullable."""
    fields = fields_of_rows(rows).reindex(columns=["stairwell_count"])
    counts = Series(fields["stairwell_count"].to_numpy(dtype=object), index=plan["code"])
    kept = counts[plan["outcome"].isin(("added", "changed", "same")).to_numpy()]
    return kept.astype("Int64")


def _finish(session: Session, found: TerritoryImport, applied: Applied, findings: Findings) -> None:
    """Tell anew what others than staff are told, and note what was done."""
    touched = findings.plan["outcome"].isin(("added", "changed", "same"))
    codes = findings.plan["code"][touched & findings.plan["code"].notna()]
    communities = pd.unique(codes.astype("str").str[:COMMUNITY_DIGITS].astype("int64"))
    if applied.added or applied.changed or applied.cut:
        territory.tell_households(session, [int(code) for code in communities])
    result = asdict(applied)
    store.finish(session, found.street_code, found.id, result)
    audit.record(
        session,
        community_code=found.street_code,
        action="territory.import",
        subject=str(found.id),
        layer=found.layer,
        **{name: count for name, count in result.items() if isinstance(count, int)},
    )
