"""Held against the specification: its own examples, its validators' rules, a client of others."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import orjson
import pytest
from georeport import GeoReport

from tests import town
from tests.api.conftest import served
from tests.api.open311.conftest import BASE, FRESH, SHOWN, STREET, Counter, fresh_id
from tests.api.open311.schemas import faults_of
from tests.api.service import Service

pytestmark = pytest.mark.db

EXAMPLES = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "open311"
needs_examples = pytest.mark.skipif(
    not EXAMPLES.is_dir(), reason="the examples of ../shared/data/open311 are absent"
)
LIGHTS = "public_facility-stairwell_lights"
# Example of the specification, what to ask of us, and what the answer is.
ASKED = (
    ("get_service_list", "services", "Services"),
    ("get_service_requests", "requests", "Request"),
    ("get_service_request", f"requests/{fresh_id(0)}", "Request"),
    ("get_service_request_id_from_a_token", f"tokens/{fresh_id(0)}", "Token"),
)
MAY_BE_LEFT_OUT = {"expected_datetime"}


def outline(element: ElementTree.Element) -> Any:
    """Return the names of an element and of what it holds, each kind of part once."""
    parts = [outline(part) for part in element]
    return element.tag, [part for place, part in enumerate(parts) if part not in parts[:place]]


def without(shape: Any, names: set[str]) -> Any:
    name, parts = shape
    return name, [without(part, names) for part in parts if part[0] not in names]


def first_part(root: ElementTree.Element) -> ElementTree.Element:
    """Keep the first of the parts: examples differ in the order of their fields."""
    for part in list(root)[1:]:
        root.remove(part)
    return root


# ---- the specification's examples, element by element


@needs_examples
@pytest.mark.parametrize(("example", "path", "kind"), ASKED)
def test_our_xml_has_the_elements_of_the_example(
    counter: Counter, example: str, path: str, kind: str
) -> None:
    theirs = ElementTree.parse(EXAMPLES / f"spec_{example}.xml").getroot()  # noqa: S314 - ours
    own = first_part(counter.get(f"{path}.xml", kind))
    assert len(own) == 1
    assert outline(own) == without(outline(first_part(theirs)), MAY_BE_LEFT_OUT)


@needs_examples
@pytest.mark.parametrize(("example", "path", "kind"), ASKED)
def test_our_json_has_the_fields_of_the_example(
    counter: Counter, example: str, path: str, kind: str
) -> None:
    theirs = orjson.loads((EXAMPLES / f"spec_{example}.json").read_bytes())
    own = counter.get(f"{path}.json", kind)
    assert isinstance(own, list)
    assert isinstance(theirs, list)
    assert own[0].keys() == theirs[0].keys() - MAY_BE_LEFT_OUT
    for name in ("metadata", "lat", "long"):
        if name in own[0]:
            assert type(own[0][name]) is type(theirs[0][name])


@needs_examples
@pytest.mark.parametrize("form", ["xml", "json"])
def test_our_definitions_have_the_fields_of_the_example(counter: Counter, form: str) -> None:
    """A service with a question whose answers are given, as the example's."""
    path = EXAMPLES / f"spec_get_service_definition.{form}"
    chosen = definition_with_choices(counter, form)
    if form == "xml":
        example = ElementTree.parse(path).getroot()  # noqa: S314 - ours
        assert outline(chosen) == outline(example)
        return
    theirs = orjson.loads(path.read_bytes())
    assert chosen.keys() == theirs.keys()
    assert chosen["attributes"][0].keys() == theirs["attributes"][0].keys()
    assert chosen["attributes"][0]["values"][0].keys() == {"key", "name"}


def definition_with_choices(counter: Counter, form: str) -> Any:
    services = counter.get("services.json", "Services")
    for service in services:
        if not service["metadata"]:
            continue
        found = counter.get(f"services/{service['service_code']}.json", "Definition")
        if "values" in found["attributes"][0] and len(found["attributes"]) == 1:
            return counter.get(f"services/{service['service_code']}.{form}", "Definition")
    raise AssertionError("no public category asks a question with given answers")


@needs_examples
@pytest.mark.parametrize("form", ["xml", "json"])
def test_the_answer_to_a_report_has_the_fields_of_the_example(
    counter: Counter, api_key: str, form: str
) -> None:
    lon, lat = town.place(town.WEST_BRIDGE, *town.IN_COMPOUND)
    sent = {"api_key": api_key, "service_code": "lift-fault", "lat": lat, "long": lon}
    own = counter.post(f"requests.{form}", "Taken", data=sent)
    path = EXAMPLES / f"spec_post_service_request.{form}"
    if form == "xml":
        assert outline(own) == outline(ElementTree.parse(path).getroot())  # noqa: S314 - ours
    else:
        assert own[0].keys() == orjson.loads(path.read_bytes())[0].keys()


@needs_examples
def test_the_schemas_see_what_the_examples_do_otherwise() -> None:
    """They can fail: numbers for codes, nulls, a space in an address."""
    for example, kind in (("get_service_requests", "Request"), ("get_service_list", "Services")):
        content = (EXAMPLES / f"spec_{example}.json").read_bytes()
        wrong = faults_of(kind, "json", content.replace(b'"realtime"', b'"batch"'))
        assert wrong, example
    content = (EXAMPLES / "spec_get_service_requests.xml").read_bytes()
    assert faults_of("Request", "xml", content)


# ---- what other people's validators ask for, each a rule


@pytest.mark.parametrize("form", ["xml", "json"])
def test_discovery_is_there_in_both_forms(counter: Counter, form: str) -> None:
    assert counter.get(f"discovery.{form}", "Discovery") is not None


def test_discovery_says_the_same_in_both_forms(counter: Counter) -> None:
    drawn, told = (counter.get(f"discovery.{form}", "Discovery") for form in ("xml", "json"))
    for name in ("changeset", "contact", "key_service"):
        assert drawn.findtext(name) == told[name]
    assert len(drawn.find("endpoints")) == len(told["endpoints"]) == 1
    for name in ("specification", "url", "changeset", "type"):
        assert drawn.findtext(f"endpoints/endpoint/{name}") == told["endpoints"][0][name]
    formats = [element.text for element in drawn.iter("format")]
    assert formats == told["endpoints"][0]["formats"] == ["text/xml", "application/json"]


def test_the_endpoint_of_discovery_is_version_2_and_ends_where_we_serve(counter: Counter) -> None:
    endpoint = counter.get("discovery.json", "Discovery")["endpoints"][0]
    assert endpoint["specification"].endswith("GeoReport_v2")
    assert endpoint["url"].endswith(BASE)


def test_changesets_are_times_in_the_past(counter: Counter) -> None:
    told = counter.get("discovery.json", "Discovery")
    for changeset in (told["changeset"], told["endpoints"][0]["changeset"]):
        assert datetime.fromisoformat(changeset) < datetime.now(UTC)


def test_there_is_a_service_and_each_has_a_code(counter: Counter) -> None:
    services = counter.get("services.json", "Services")
    assert len(services) > 10
    assert all(service["service_code"] for service in services)
    drawn = counter.get("services.xml", "Services")
    assert [element.findtext("service_code") for element in drawn] == [
        service["service_code"] for service in services
    ]


def test_services_are_those_that_everybody_may_see(counter: Counter) -> None:
    codes = {service["service_code"] for service in counter.get("services.json", "Services")}
    assert "sanitation-rubbish" in codes
    assert not {code for code in codes if code.startswith(("neighbour_dispute", "security"))}


def test_every_service_has_its_definition_in_both_forms(counter: Counter) -> None:
    for service in counter.get("services.json", "Services"):
        code = service["service_code"]
        told = counter.get(f"services/{code}.json", "Definition")
        drawn = counter.get(f"services/{code}.xml", "Definition")
        assert told["service_code"] == drawn.findtext("service_code") == code
        assert bool(told["attributes"]) == service["metadata"]
        assert [element.findtext("code") for element in drawn.iter("attribute")] == [
            attribute["code"] for attribute in told["attributes"]
        ]


def test_requests_are_the_same_in_both_forms(counter: Counter) -> None:
    for extensions in ("false", "true"):
        kind = "Extended" if extensions == "true" else "Request"
        told = counter.get("requests.json", kind, extensions=extensions)
        drawn = counter.get("requests.xml", kind, extensions=extensions)
        assert len(told) == len(drawn)
        for one, element in zip(told, drawn, strict=True):
            assert [part.tag for part in element] == list(one)
            for name, value in one.items():
                if isinstance(value, str | float):
                    assert (element.findtext(name) or "") == cleaned(str(value))


def cleaned(text: str) -> str:
    """Leave out what XML cannot hold."""
    return text.replace("\x0b", "").replace("\x1f", "")


def test_one_request_is_a_list_too(counter: Counter) -> None:
    assert len(counter.get(f"requests/{fresh_id(0)}.json", "Request")) == 1
    assert len(counter.get(f"requests/{fresh_id(0)}.xml", "Request")) == 1
    assert len(counter.requests(service_request_id=fresh_id(0))) == 1


def test_a_token_leads_to_its_request(counter: Counter) -> None:
    (found,) = counter.get(f"tokens/{fresh_id(0)}.json", "Token")
    (request,) = counter.get(f"requests/{found['service_request_id']}.json", "Request")
    assert request["service_code"] == LIGHTS


def test_dates_say_their_zone_and_no_fractions(counter: Counter) -> None:
    for request in counter.requests():
        for name in ("requested_datetime", "updated_datetime"):
            assert datetime.fromisoformat(request[name]).tzinfo is not None
            assert len(request[name]) == len("2010-04-14T06:37:38-08:00")


def test_the_language_can_be_chosen(counter: Counter) -> None:
    assert "Rubbish" in str(counter.get("services.json", "Services", lang="en"))
    names = {one["service_name"] for one in counter.requests(lang="en")}
    assert "Stairwell lights" in names
    assert "楼道照明" in {one["service_name"] for one in counter.requests(lang="zh")}


# ---- a client of others


@pytest.fixture(scope="module")
def address(served_town: Service) -> Iterator[str]:
    with served(served_town) as base_url:
        yield f"{base_url}{BASE}"


@pytest.mark.parametrize("form", ["json", "xml"])
def test_the_client_georeport_finds_its_way(address: str, form: str) -> None:
    client = GeoReport(address, jurisdiction=str(STREET), output_format=form)
    codes = [service["service_code"] for service in client.get_service_list()]
    assert LIGHTS in codes
    assert client.get_service_definition(LIGHTS)["service_code"] == LIGHTS
    known = {fresh_id(number) for number in range(len(FRESH))}
    found = {one["service_request_id"]: one for one in client.get_service_requests()}
    assert len(known & found.keys()) == SHOWN
    one = client.get_service_request(fresh_id(0))
    assert one == found[fresh_id(0)]
    assert (one["status"], one["service_code"]) == ("open", LIGHTS)


def test_the_client_georeport_narrows_its_search(address: str) -> None:
    client = GeoReport(address, jurisdiction=str(STREET))
    closed = client.get_service_requests(status="closed", service_code=LIGHTS)
    assert [one["service_request_id"] for one in closed] == [fresh_id(1)]
    old = client.get_service_requests(
        start_date="2020-05-01T00:00:00Z", end_date="2020-07-01T00:00:00Z"
    )
    assert len(old) == 27
    some = client.get_service_requests(service_request_id=f"{fresh_id(0)},{fresh_id(2)}")
    assert {one["service_request_id"] for one in some} == {fresh_id(0), fresh_id(2)}
