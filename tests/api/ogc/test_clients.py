"""The programs of planners read every collection, and exactly their rows."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pyogrio
import pytest
from owslib.ogcapi.features import Features  # type: ignore[import-untyped]
from sqlalchemy import text

from tests.api.ogc.conftest import LAYERS, Reader

pytestmark = pytest.mark.db

GUIDE = Path(__file__).parents[3] / "docs" / "QGIS.md"


@pytest.fixture(params=[0, 1], ids=["first", "second"])
def reader(request: pytest.FixtureRequest, readers: tuple[Reader, Reader]) -> Reader:
    return readers[request.param]


def run(program: list[str] | str, folder: Path, reader: Reader) -> None:
    """Run a command in a folder, with the key in its environment; it must succeed."""
    variables = os.environ | {"GRID_KEY": reader.key, "no_proxy": "*", "NO_PROXY": "*"}  # noqa: TID251 (a child's)
    done = subprocess.run(  # noqa: S603 (our own document)
        ["sh", "-ec", program] if isinstance(program, str) else program,
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def keys_in(path: Path, layer: str) -> list[str]:
    frame = pyogrio.read_dataframe(path, layer=layer, read_geometry=False)
    # GDAL keeps an id of the server's that is no number as a field of its own name.
    column = LAYERS[layer][1] if LAYERS[layer][1] in frame.columns else "id"
    return [str(name) for name in frame[column]]


def blocks(language: str, reader: Reader) -> list[str]:
    """Return the commands that the guide shows, at the address of the test."""
    guide = GUIDE.read_text(encoding="utf-8").replace("https://grid.example", reader.base_url)
    return re.findall(rf"```{language}\n(.*?)```", guide, re.DOTALL)


def test_the_guides_commands_read_every_collection(reader: Reader, tmp_path: Path) -> None:
    for command in blocks("bash", reader):
        run(command, tmp_path, reader)
    for layer in LAYERS:
        found = keys_in(tmp_path / "territory.gpkg", layer)
        assert len(found) == len(set(found)), layer
        assert set(found) == reader.own(layer), layer
    firsts = pyogrio.read_dataframe(tmp_path / "first.geojson", read_geometry=False)
    assert set(firsts["name"]) == {"1梯"}
    assert set(firsts["code"]) < reader.own("stairwells")


def test_the_guides_program_and_pyogrio_read_as_one_principal_after_the_other(
    readers: tuple[Reader, Reader], tmp_path: Path
) -> None:
    """In a process of its own, as GDAL would hold up the server in this one; but in one."""
    (program,) = blocks("python", readers[0])
    script = tmp_path / "read.py"
    script.write_text(PROGRAM.format(program=indent(program, "    "), url=readers[0].ogc))
    (tmp_path / "keys").write_text("\n".join(reader.key for reader in readers))
    run([sys.executable, str(script)], tmp_path, readers[0])
    told = json.loads((tmp_path / "told.json").read_text())
    for reader, found in zip(readers, told["found"], strict=True):
        assert set(found["stairwells"]) == reader.own("stairwells")
        assert set(found["buildings"]) == reader.own("buildings")
        with reader.clone.root.connect() as connection:
            large = connection.scalar(text(LARGE), {"own": reader.community_code})
        assert found["large"] == large > 0
    assert "401" in told["without"]


LARGE = (
    "SELECT count(*) FROM gridsvc.stairwell WHERE told_household_count >= 8"
    " AND community_code = :own AND retired_on IS NULL"
)
# QGIS sends the key as the password of Basic, too.
PROGRAM = """
import json, os, pathlib
found = []
for key in pathlib.Path("keys").read_text().split():
    os.environ["GRID_KEY"] = key
    pathlib.Path("grid-key.txt").write_text("Authorization: Bearer " + key)
{program}
    pyogrio.set_gdal_config_options({{"GDAL_HTTP_HEADER_FILE": None}})
    basic = {{"GDAL_HTTP_USERPWD": "key:" + key, "GDAL_HTTP_AUTH": "BASIC"}}
    pyogrio.set_gdal_config_options(basic)
    buildings = pyogrio.read_dataframe("OAPIF:{url}", layer="buildings")
    pyogrio.set_gdal_config_options(dict.fromkeys(basic))
    assert buildings.geometry.is_valid.all()
    found.append(
        dict(
            stairwells=list(stairwells["code"]),
            buildings=list(buildings["code"]),
            large=large["numberMatched"],
        )
    )
without = ""
try:
    pyogrio.read_dataframe("OAPIF:{url}", layer="buildings")
except pyogrio.errors.DataSourceError as error:
    without = str(error)
pathlib.Path("told.json").write_text(json.dumps(dict(found=found, without=without)))
"""


def test_owslib_reads_the_catalogue_and_every_page(reader: Reader) -> None:
    service = Features(f"{reader.ogc}/", headers=reader.headers)
    assert service.feature_collections() == list(LAYERS)
    assert (
        "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core"
        in (service.conformance()["conformsTo"])
    )
    assert service.api()["openapi"] == "3.0.3"
    for layer in LAYERS:
        own, found = reader.own(layer), set()
        names = service.collection_queryables(layer)["properties"]
        assert LAYERS[layer][1] in names
        for offset in range(0, len(own), 70):
            page = service.collection_items(layer, limit=70, offset=offset)
            assert page["numberMatched"] == len(own)
            found |= {str(feature["id"]) for feature in page["features"]}
        assert found == own, layer
