"""Every download of data is in the audit trail, once, and without what the data hold."""

import threading
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from api.pages.text import load_words
from tests import town
from tests.api.holders import make_key
from tests.api.service import Service, is_problem

pytestmark = pytest.mark.db

A, STREET = town.EAST_SHORE, town.STREET
EXPORT = "/api/v1/export"


def trail(service: Service) -> list[dict[str, Any]]:
    """Return the downloads that were noted, the oldest first."""
    answer = service.caller("administrator", STREET).get("/api/v1/audit?action=export&limit=500")
    return list(reversed(answer.json()["items"]))


def test_a_download_is_noted_with_who_what_and_of_which_territory(own_service: Service) -> None:
    account = own_service.account("planner", (STREET,))
    client = own_service.sign_in(account)
    client.get(f"{EXPORT}/stairwells.gpkg?compound={town.compound_code(A)}&as_of=2999-01-01")
    client.get(f"{EXPORT}/stairwells.geojson?bbox=113,22,114,24")
    built, streamed = trail(own_service)
    assert (built["action"], built["subject"]) == ("export.download", "stairwells.gpkg")
    assert built["community_code"] == A
    assert built["account_id"] == streamed["account_id"] == str(account.id)
    assert built["detail"] == {
        "layer": "stairwells",
        "format": "gpkg",
        "crs": "epsg4326",
        "territory": [f"{STREET}-{STREET + 999}"],
        "filters": ["compound", "as_of"],
        "rows": 6,
    }
    assert streamed["community_code"] == STREET
    assert streamed["detail"]["filters"] == ["bbox"]
    assert "rows" not in streamed["detail"], "not known before the last"


def test_the_trail_says_which_filters_and_not_what_they_were(own_service: Service) -> None:
    client = own_service.caller("coordinator", A)
    client.get(f"{EXPORT}/incidents.csv?class=parking&from=2020-01-02&to=2020-03-04&crs=gcj02")
    (one,) = trail(own_service)
    assert one["detail"]["filters"] == ["from", "to", "class"]
    assert one["detail"]["crs"] == "gcj02"
    assert not any(word in str(one["detail"]) for word in ("parking", "2020-01-02", "2020-03-04"))


def test_pieces_of_one_download_are_one_entry(own_service: Service) -> None:
    client, path = own_service.caller("planner", STREET), f"{EXPORT}/buildings.fgb"
    size = int(client.head(path).headers["Content-Length"])
    assert trail(own_service) == [], "HEAD takes nothing out"
    for first in range(0, size, size // 4 + 1):
        part = client.get(path, headers={"Range": f"bytes={first}-{first + size // 4}"})
        assert part.status_code == 206
    (one,) = trail(own_service)
    assert one["detail"]["rows"] == 8
    client.get(path)
    assert len(trail(own_service)) == 2, "the same file again is another download"
    assert trail(own_service)[1]["detail"]["rows"] == 8, "also of a file that was kept"


def test_leaving_the_first_byte_out_does_not_go_round_the_trail(own_service: Service) -> None:
    path = f"{EXPORT}/buildings.fgb"
    own_service.caller("planner", STREET).get(path)
    other = own_service.sign_in(own_service.account("planner", (STREET,)))
    for span in ("1-", "-100", "7-9"):
        assert other.get(path, headers={"Range": f"bytes={span}"}).status_code == 206
    assert len(trail(own_service)) == 2, "each caller once"


def test_what_is_refused_or_cannot_be_sent_is_no_download(own_service: Service) -> None:
    client = own_service.caller("planner", A)
    for path in ("incidents.csv", "none.csv", "heat.csv?bbox=1,2,3,4", "stairwells.gpkg?crs=9"):
        assert client.get(f"{EXPORT}/{path}").status_code in {403, 404, 422}
    answer = client.get(f"{EXPORT}/buildings.gpkg", headers={"Range": "bytes=99999999-"})
    assert is_problem(answer, 416, "range-not-satisfiable")
    client.head(f"{EXPORT}/buildings.csv")
    assert trail(own_service) == []


def test_nothing_goes_out_where_it_cannot_be_noted(own_service: Service) -> None:
    token = dict(own_service.caller("planner", A).headers)
    own_service.clone.run("REVOKE INSERT ON gridsvc.audit_event FROM gridsvc_api")
    client = TestClient(own_service.witness, headers=token, raise_server_exceptions=False)
    for name in ("buildings.csv", "buildings.gpkg"):
        answer = client.get(f"{EXPORT}/{name}")
        assert is_problem(answer, 500, "internal")
    own_service.witness.faults.clear()  # no document promises a 500


def test_many_at_once_are_each_noted(own_service: Service) -> None:
    client, path = own_service.caller("planner", A), f"{EXPORT}/compounds.parquet"
    threads = [threading.Thread(target=client.get, args=(path,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(trail(own_service)) == 6


def test_a_download_by_key_is_that_of_its_owner(own_service: Service) -> None:
    account = own_service.account("planner", (A,))
    made = make_key(own_service.sign_in(account))
    own_service.visitor().get(
        f"{EXPORT}/compounds.csv", headers={"Authorization": f"Bearer {made['secret']}"}
    )
    (one,) = trail(own_service)
    assert one["account_id"] == str(account.id)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_administrators_read_of_downloads_in_words(own_service: Service, lang: str) -> None:
    own_service.caller("planner", A).get(f"{EXPORT}/compounds.csv?community={A}")
    page = own_service.caller("administrator", STREET).get(
        f"/admin/audit?action=export&lang={lang}", headers={"Accept": "text/html"}
    )
    assert load_words()["action_export__download"][lang] in page.text
    assert "filters=community" in page.text


def test_the_trail_can_be_written_by_whoever_downloads_but_not_changed(
    own_service: Service,
) -> None:
    own_service.caller("planner", A).get(f"{EXPORT}/compounds.csv")
    with own_service.clone.api.engine.connect() as connection:
        rights = connection.scalars(
            text(
                "SELECT privilege_type FROM information_schema.role_table_grants"
                " WHERE grantee = 'gridsvc_api' AND table_name = 'audit_event'"
            )
        ).all()
    assert set(rights) <= {"SELECT", "INSERT"}
