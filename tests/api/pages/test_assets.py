"""Files that pages load: only those listed, kept as long as their address says."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api import errors
from api.pages.assets import mount_assets
from api.pages.files import asset_url, load_assets, with_version


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI()
    errors.install(app)
    mount_assets(app)
    return TestClient(app)


@pytest.mark.parametrize("name", ["leaflet/leaflet.js", "gridsvc/core.js", "pages/pages.css"])
def test_a_listed_file_is_served_and_may_be_kept_for_ever_under_its_version(
    client: TestClient, name: str
) -> None:
    answer = client.get(asset_url(name))
    assert answer.status_code == 200
    assert answer.content == load_assets().files[name].body
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith(load_assets().files[name].media_type)


def test_without_a_version_browsers_must_ask_again_and_are_told_that_nothing_changed(
    client: TestClient,
) -> None:
    answer = client.get("/assets/leaflet/leaflet.js")
    assert answer.headers["cache-control"] == "public, no-cache"
    again = client.get(
        "/assets/leaflet/leaflet.js", headers={"If-None-Match": answer.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "leaflet/package.json",
        "../assets.py",
        "..%2Fassets.py",
        "pages/../../routes.py",
        "/etc/passwd",
        "0000000000000000/leaflet/leaflet.js",
        "pages",
    ],
)
def test_no_other_file_is_served(client: TestClient, name: str) -> None:
    assert client.get(f"/assets/{name}").status_code == 404


def test_scripts_and_styles_have_the_types_that_browsers_insist_on() -> None:
    files = load_assets().files
    assert {files[name].media_type for name in files if name.endswith(".js")} == {"text/javascript"}
    assert {files[name].media_type for name in files if name.endswith(".css")} == {"text/css"}


def test_only_addresses_of_files_get_the_version() -> None:
    header = '<script src="/assets/leaflet/leaflet.js"></script><p>/assets/</p>'
    version = load_assets().version
    assert with_version(header) == (
        f'<script src="/assets/{version}/leaflet/leaflet.js"></script><p>/assets/</p>'
    )
