"""What row-level security costs, and whether people can sign in while others try passwords.

Command: ``./grid bench access``. Each part has a database of its own, as set-up leaves it.
"""

from collections.abc import Callable, Iterator

from tests.bench import access_attack, access_policies
from tests.databases import Clone, drop, make_clone, make_template, throw_away_cluster

PARTS: tuple[Callable[[Clone], Iterator[dict[str, object]]], ...] = (
    access_policies.rows,
    access_attack.rows,
)


def run() -> Iterator[dict[str, object]]:
    """Yield the rows of each part."""
    with throw_away_cluster() as cluster:
        template = make_template(cluster)
        for part in PARTS:
            clone = make_clone(cluster, template)
            yield from part(clone)
            drop(clone)
