"""What PostgreSQL would do for a query, asked as the API role in the caller's scope."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from gridsvc.db import Database, Scope
from gridsvc.territory import tiles


@contextmanager
def statements_of(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Collect the statements that are sent, with their parameters."""
    sent: list[tuple[str, Any]] = []

    def note(
        _connection: object, _cursor: object, statement: str, parameters: Any, *_: Any
    ) -> None:
        sent.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def tile_of(session: Session, layer: str, address: tuple[int, int, int]) -> bytes:
    """Return the tile at a zoom, column and row that holds one layer of territory."""
    return tiles.encode_tile(session, [(layer, tiles.layer_rows(session, layer, address))])


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def plan_of(
    database: Database, scope: Scope, act: Callable[[Session], object]
) -> list[dict[str, Any]]:
    """Run a query and return every node of the plan of its last statement."""
    with database.session(scope, read_only=True) as session:
        with statements_of(database) as sent:
            act(session)
        statement, parameters = sent[-1]
        explained = session.connection().exec_driver_sql(
            f"EXPLAIN (FORMAT JSON) {statement}", parameters
        )
        plan = explained.scalar_one()
    parsed = plan if isinstance(plan, list) else json.loads(plan)
    return list(nodes(parsed[0]["Plan"]))


def indexes(found: list[dict[str, Any]]) -> set[str]:
    return {node["Index Name"] for node in found if "Index Name" in node}


def scans(found: list[dict[str, Any]]) -> set[str]:
    """Return the tables that are read from end to end."""
    return {node["Relation Name"] for node in found if node["Node Type"] == "Seq Scan"}
