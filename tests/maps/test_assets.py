import re
from pathlib import PurePosixPath

import folium
import folium.plugins
import pytest

from maps import assets
from maps.assets import asset_files, localize, refuse_outside_links
from maps.errors import MissingAssetError, OutsideLinkError


def test_every_file_in_the_table_is_installed() -> None:
    files = asset_files()
    assert "leaflet/leaflet.js" in files
    assert "gridsvc/map.css" in files
    assert all(path.is_file() for path in files.values())


def test_whatever_a_style_sheet_loads_is_served_too() -> None:
    files = asset_files()
    for public, path in files.items():
        if path.suffix != ".css":
            continue
        for link in re.findall(r"url\([\"']?([^\"')]+)[\"']?\)", path.read_text()):
            if link.startswith(("data:", "#")):
                continue
            parts: list[str] = []
            for part in (PurePosixPath(public).parent / link.split("?")[0]).parts:
                parts = parts[:-1] if part == ".." else [*parts, part]
            assert "/".join(parts) in files, f"{public} loads {link}"


def test_an_absent_file_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(assets.FILES, "leaflet/none.js", "leaflet/dist/none.js")
    with pytest.raises(MissingAssetError, match=r"leaflet/none\.js is not installed.*npm ci"):
        asset_files()


def test_folium_s_own_map_loads_nothing_from_outside() -> None:
    page = folium.Map(tiles=None, maxZoom=20)
    folium.plugins.MarkerCluster().add_to(page)  # type: ignore[no-untyped-call]
    folium.plugins.AntPath([[23, 113], [23, 114]]).add_to(page)  # type: ignore[no-untyped-call]
    html = page.get_root().render()
    refuse_outside_links(html)
    served = asset_files()
    links = re.findall(r"""(?:src|href)=["']/assets/([^"']+)""", html)
    assert len(links) > 8
    assert set(links) <= set(served)


def test_localizing_twice_changes_nothing() -> None:
    before = list(folium.Map.default_js)
    localize()
    assert folium.Map.default_js == before


def test_a_plugin_whose_script_we_do_not_serve_is_refused() -> None:
    page = folium.Map(tiles=None)
    folium.plugins.BoatMarker([23, 113]).add_to(page)  # type: ignore[no-untyped-call]
    with pytest.raises(OutsideLinkError, match=r"boatmarker.*add the file to the table"):
        refuse_outside_links(page.get_root().render())


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://cdn.example/a.js"></script>',
        "<link href='//cdn.example/a.css'>",
        "<img SRC = http://pictures.example/a.png>",
    ],
)
def test_each_way_of_naming_another_host_is_found(html: str) -> None:
    with pytest.raises(OutsideLinkError, match="example"):
        refuse_outside_links(html)


def test_our_own_addresses_and_plain_text_pass() -> None:
    refuse_outside_links('<script src="/assets/a.js"></script><p>see https://a.example</p>')
