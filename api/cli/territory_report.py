"""What the command line tells of a file of territory: tables, and a folder with the report."""

from pathlib import Path

from api.cli.lone_page import lone_page
from api.pages.shell import new_nonce
from api.pages.text import words_of
from geodata.columns import fields_of
from geodata.geojson import geojson_text
from gridsvc.db import ScopedSession
from gridsvc.territory import service as territory
from gridsvc.territory.importing.findings import OWN_KINDS, Findings
from gridsvc.territory.importing.model import Applied, FileWish
from gridsvc.territory.importing.rejects import rejects_csv
from gridsvc.territory.importing.source import Source
from maps.assets import localize
from maps.base import Ground
from maps.page import parts
from maps.quality import quality_map

Rows = list[tuple[str, str]]


def source_rows(wish: FileWish, source: Source) -> Rows:
    """Return what was read, and as what: the mapping is shown so that somebody can object."""
    rows = [
        ("format", source.format),
        ("coordinates", source.crs_name or "none"),
        ("rows read", f"{len(source.rows):,}"),
    ]
    if source.entrances is not None:
        rows.append(("entrances read", f"{len(source.entrances):,}"))
    rows += [
        (f"  {field}", source.columns.get(field, "no such column"))
        for field in fields_of(wish.layer)
    ]
    return rows + [(note, "") for note in source.notes]


def findings_rows(findings: Findings) -> Rows:
    """Return the faults by kind, and what would become of the rows."""
    rows = [
        (f"{severity}: {kind}", f"{count:,}")
        for severity, kinds in (("error", findings.errors), ("warning", findings.warnings))
        for kind, count in kinds.items()
    ]
    rows += [("proposed repairs", f"{len(findings.repairs):,}")] if len(findings.repairs) else []
    return rows or [("no faults", "")]


def outcome_rows(findings: Findings) -> Rows:
    """Return what would become of the rows."""
    return [(f"to be {name}", f"{count:,}") for name, count in findings.outcomes().items()]


def applied_rows(applied: Applied) -> Rows:
    """Return what was done."""
    names = ("added", "changed", "same", "rejected")
    rows = [(name, f"{getattr(applied, name):,}") for name in names]
    more = (
        ("repaired", applied.repaired),
        ("stairwells cut", applied.cut),
        ("  by entrances", applied.by_entrances),
        ("stairwells counted anew", applied.stairwells),
    )
    return rows + [(label, f"{count:,}") for label, count in more if count]


def ground_of(session: ScopedSession) -> Ground:
    """Return what lies under the map of a report; no tiles, since nobody serves it."""
    communities = territory.read_communities(session)
    return Ground(
        communities=communities,
        compounds=territory.read_compounds(session),
        attribution=" · ".join(communities["attribution"].unique()),
        lang="zh",
    )


def write_report(wish: FileWish, findings: Findings, ground: Ground, folder: Path) -> None:
    """Write the faults as GeoJSON (EPSG:4326), as a table, and as a map where they have places."""
    folder.mkdir(parents=True, exist_ok=True)
    if wish.layer != "households":
        localize()
        say = words_of(ground.lang)
        names = {kind: say(f"fault_kind_{kind.replace('-', '_')}") for kind in OWN_KINDS}
        page = quality_map(wish.layer, findings.features, findings.faults, ground, kind_names=names)
        made = parts(page, nonce=new_nonce())
        html = lone_page(made, title=wish.name, lang=ground.lang)
        (folder / "report.html").write_text(html, encoding="utf-8")
    (folder / "faults.geojson").write_bytes(geojson_text(findings.faults))
    (folder / "report.csv").write_bytes(rejects_csv(findings.as_table()))
