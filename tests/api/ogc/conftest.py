"""Two planners of different communities, each with an API key, before the sample."""

from dataclasses import dataclass

import httpx2 as httpx
import pytest
from sqlalchemy import text

from tests.api.conftest import Server
from tests.api.holders import make_key
from tests.databases import Clone

LAYERS = {
    "communities": ("community", "code", "true"),
    "compounds": ("compound", "code", "retired_on IS NULL"),
    "buildings": ("building", "code", "retired_on IS NULL"),
    "stairwells": ("stairwell", "code", "retired_on IS NULL"),
    "walkways": ("walkway", "id", "true"),
    "heat": ("planner.heat", "id", "true"),
}
"""Table, key and condition of what each collection holds."""


@dataclass(frozen=True)
class Reader:
    """A planner of one community, by the key."""

    base_url: str
    community_code: int
    key: str
    clone: Clone

    @property
    def ogc(self) -> str:
        return f"{self.base_url}/ogc"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.base_url, headers=self.headers, timeout=30)

    def own(self, layer: str) -> set[str]:
        """Return what is the reader's, as superuser tells it."""
        table, key, where = LAYERS[layer]
        territory = "code" if layer == "communities" else "community_code"
        source = table if "." in table else f"gridsvc.{table}"
        query = (
            f"SELECT {key} FROM {source}"  # noqa: S608 (words of this test)
            f" WHERE {territory} = {self.community_code} AND {where}"
        )
        with self.clone.root.connect() as connection:
            return {str(name) for name in connection.scalars(text(query))}


@pytest.fixture(scope="session")
def readers(server: Server) -> tuple[Reader, Reader]:
    """The planners of the two communities with most stairwells."""
    clone = server.service.clone
    with clone.root.connect() as connection:
        codes = connection.scalars(
            text(
                "SELECT community_code FROM gridsvc.stairwell GROUP BY 1 ORDER BY count(*) DESC, 1"
            )
        ).all()
    first, second = (
        Reader(
            server.base_url,
            code,
            make_key(server.service.caller("planner", code))["secret"],
            clone,
        )
        for code in codes[:2]
    )
    return first, second
