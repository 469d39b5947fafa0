"""The page of territory from files: send one, read what stands against it, decide."""

import re
from pathlib import Path
from typing import Any

import pytest

from api.pages.territory_office import OUTCOMES
from api.pages.text import load_words
from geodata.columns import fields_of
from geodata.quality import load_kinds
from gridsvc.territory.importing.findings import OWN_KINDS
from gridsvc.territory.importing.model import LAYERS
from tests import town
from tests.api.pages.people import Tab, office, words
from tests.api.service import Service
from tests.gridsvc.territory.importing.files import Row, geojson

pytestmark = pytest.mark.db

A, STREET = town.EAST_SHORE, town.STREET
PAGE = "/admin/territory"
EVIL = "</script><img src=x onerror=alert(1)>{{7*7}}"


def building(name: str = "3栋", size: tuple[float, float] = (5, 4), **more: Any) -> Row:
    return {"name": name, **more}, town.rectangle(A, (4, 12), size)


def send(tab: Tab, tmp_path: Path, *rows: Row, name: str = "楼栋.geojson", **more: Any) -> str:
    """Send a file, and return the address of its report."""
    body = geojson(tmp_path / "sent.geojson", rows).read_bytes()
    tab.see(PAGE)
    fields = {"layer": "buildings", "valid_from": "2030-01-01", **more}
    return tab.send(PAGE, files={"file": (name, body)}, **fields)


def test_a_file_is_sent_and_applied(own_service: Service, tmp_path: Path) -> None:
    tab = office(own_service)
    address = send(tab, tmp_path, building())
    page = tab.see(address)
    assert words("import_no_faults") in page.words
    assert words("import_state_staged") in page.words
    assert "code ←" not in page.words
    assert "name ← name" in page.words
    assert tab.send(f"{address}/apply") == f"{address}?done=applied"
    page = tab.see(f"{address}?done=applied")
    assert words("import_done") in page.words
    assert words("import_state_applied") in page.words
    assert not [form for form in page.all("form") if form.get("action", "").endswith("/apply")]
    listed = tab.see(PAGE)
    assert address in listed.links()
    assert own_service.clone.count("building", "name = '3栋'") == 1


def test_warnings_are_accepted_by_ticking_them(own_service: Service, tmp_path: Path) -> None:
    tab = office(own_service)
    address = send(tab, tmp_path, building(size=(5, 0.1)))
    page = tab.see(address)
    assert load_kinds()["sliver"].name("zh") in page.words
    assert load_kinds()["sliver"].name("en") in tab.see(f"{address}?lang=en").words
    tab.see(f"{address}?lang=zh")
    tab.send(f"{address}/apply", status=422)
    assert words("import_fault_import_blocked") in tab.page.words
    assert own_service.clone.count("building", "name = '3栋'") == 0
    assert tab.send(f"{address}/apply", accept="sliver") == f"{address}?done=applied"


def test_errors_leave_nothing_to_apply(own_service: Service, tmp_path: Path) -> None:
    tab = office(own_service)
    address = send(tab, tmp_path, building(levels="很多"))
    page = tab.see(address)
    assert words("fault_kind_unreadable_value") in page.words
    assert words("import_errors_block") in page.words
    disabled = [one for one in page.all("button") if "disabled" in one]
    assert len(disabled) == 1
    tab.send(f"{address}/apply", status=422, accept="all")
    assert tab.send(f"{address}/discard") == f"{PAGE}?done=discarded"
    assert words("import_discarded") in tab.see(f"{PAGE}?done=discarded").words
    assert words("import_state_discarded") in tab.see(address).words


def test_the_map_of_faults_is_on_the_page(own_service: Service, tmp_path: Path) -> None:
    tab = office(own_service)
    address = send(tab, tmp_path, building(size=(5, 0.1)))
    html = tab.client.get(address).text
    assert 'class="fault-map"' in html
    assert "gridsvc.faults(" in html
    assert "sliver" in html


@pytest.mark.parametrize(
    ("name", "body", "key"),
    [
        ("x.exe", b"MZ", "import_fault_unsupported_format"),
        ("x.geojson", b"", "import_fault_unreadable_file"),
        ("x.csv", b"name,WKT\nx,POINT(1 2)\n", "import_fault_file_without_crs"),
        ("x.csv", b"a,WKT\nx,POINT(1 2)\n", "import_fault_unmatched_field"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_the_form(
    own_service: Service, name: str, body: bytes, key: str
) -> None:
    tab = office(own_service)
    tab.see(PAGE)
    crs = "EPSG:4326" if key.endswith("field") else ""
    tab.send(PAGE, status=422, files={"file": (name, body)}, layer="buildings", crs=crs)
    assert words(key) in tab.page.words
    assert tab.value("crs") == crs
    tab.see(f"{PAGE}?lang=en")
    tab.send(PAGE, status=422, files={"file": (name, body)}, layer="buildings", crs=crs)
    assert words(key, "en") in tab.page.words


def test_words_of_a_file_stay_words(own_service: Service, tmp_path: Path) -> None:
    tab = office(own_service)
    address = send(
        tab, tmp_path, building(EVIL, levels=EVIL, code=EVIL), name=f"{EVIL[:20]}.geojson"
    )
    html = tab.client.get(address).text
    assert "<img src=x" not in html
    assert "&lt;img src=x" in html
    assert "49" not in re.findall(r"\{\{|49\}\}", html)
    tab.see(address)


def test_administrators_of_a_community_are_told_why_they_cannot(
    own_service: Service, tmp_path: Path
) -> None:
    tab = office(own_service, "administrator", A)
    tab.see(PAGE)
    body = geojson(tmp_path / "sent.geojson", [building()]).read_bytes()
    tab.send(PAGE, status=403, files={"file": ("x.geojson", body)}, layer="buildings")
    assert words("import_fault_import_needs_street") in tab.page.words


def test_a_register_has_a_report_without_a_map(own_service: Service) -> None:
    tab = office(own_service)
    tab.see(PAGE)
    body = f"网格编码,户数\n{town.stairwell_code(A)},12\n{'9' * 20},3\n".encode()
    address = tab.send(PAGE, files={"file": ("户.csv", body)}, layer="households")
    page = tab.see(address)
    assert words("fault_kind_unknown_stairwell") in page.words
    assert "fault-map" not in tab.client.get(address).text
    assert tab.send(f"{address}/apply", accept="unknown-stairwell").endswith("done=applied")
    page = tab.see(address)
    assert (
        f"/api/v1{address.removeprefix('/admin').replace('territory', 'imports')}/rejects.csv"
        in (page.links())
    )


@pytest.mark.parametrize(
    ("lang", "sentence"),
    [("zh", "平方米，处处不足 1.5 米宽。"), ("en", "m², nowhere wider than 1.5 m.")],
)
def test_each_fault_is_a_sentence_in_the_language_of_the_page(
    own_service: Service, tmp_path: Path, lang: str, sentence: str
) -> None:
    tab = office(own_service)
    address = send(tab, tmp_path, building(size=(5, 0.1)))
    assert sentence in tab.see(f"{address}?lang={lang}").words


def test_entrances_are_sent_beside_the_buildings(own_service: Service, tmp_path: Path) -> None:
    tab = office(own_service)
    body = geojson(tmp_path / "sent.geojson", [building(size=(5, 0.9))]).read_bytes()
    places = [town.place(A, x, 12) for x in (4.5, 8)] + [town.place(A, 20, 20)]
    doors = "lon,lat\n" + "".join(f"{lon},{lat}\n" for lon, lat in places)
    tab.see(PAGE)
    files = {"file": ("楼栋", body), "entrances": ("门.csv", doors.encode())}
    address = tab.send(
        PAGE, files=files, layer="buildings", entrances_crs="EPSG:4326", valid_from="2030-01-01"
    )
    page = tab.see(address)
    assert words("fault_kind_unmatched_entrance") in page.words
    assert words("import_entrance_count").format(n=3) in page.words
    assert "出入口文件第 3 行的点距文件中最近的楼栋" in page.words
    tab.send(f"{address}/apply", accept="unmatched-entrance", cut_stairwells="true", stairwells="7")
    assert f"{words('outcome_cut')} 2" in tab.see(address).words


def test_a_browser_that_sends_no_entrances_sends_an_empty_file(
    own_service: Service, tmp_path: Path
) -> None:
    tab = office(own_service)
    body = geojson(tmp_path / "sent.geojson", [building()]).read_bytes()
    tab.see(PAGE)
    files = {"file": ("楼栋.geojson", body), "entrances": ("", b"")}
    address = tab.send(PAGE, files=files, layer="buildings", valid_from="2030-01-01")
    tab.see(address)
    tab.send(f"{address}/apply", cut_stairwells="true", stairwells="3")
    assert f"{words('outcome_cut')} 3" in tab.see(address).words


def test_every_kind_layer_and_outcome_has_its_words() -> None:
    needed = {f"fault_kind_{kind}".replace("-", "_") for kind in OWN_KINDS}
    needed |= {f"fault_advice_{kind}".replace("-", "_") for kind in OWN_KINDS}
    needed |= {f"layer_{layer}" for layer in LAYERS}
    needed |= {f"outcome_{outcome}" for outcome in OUTCOMES}
    needed |= {f"import_state_{one}" for one in ("staging", "staged", "applied", "discarded")}
    assert needed <= set(load_words())
    assert all(fields_of(layer) for layer in LAYERS)
