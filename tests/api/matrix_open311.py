"""What every route of Open311 promises: one line a route. Everybody is the public there."""

from tests import town
from tests.api.matrix import EVERYBODY, STREET, A, B, C, Caller, World
from tests.api.matrix_promises import Ask, Changes, Promise, Public

V2 = "/open311/v2"
LIFT = town.id_of("incident", A, "lift.fault", 0)
OF_TOWN = f"jurisdiction_id={STREET}"
IN_2020 = "start_date=2020-05-01&end_date=2020-07-01"
# Where a report is meant to fall: in the first compound of each community.
_SPOTS = {place: town.place(place, *town.IN_COMPOUND) for place in (A, B, C)}

TABLES = {"incident", "incident_event", "heat_cell", "audit_event"}


def report(world: World, caller: Caller, place: int) -> Ask:
    """Report at a place, with a key for the caller's territory."""
    owner = world.service.account("administrator", (caller.code,))
    lon, lat = _SPOTS[place]
    form = {
        "api_key": world.add_key(owner.id, caller),
        "service_code": "sanitation-rubbish",
        "lat": f"{lat}",
        "long": f"{lon}",
    }
    return Ask("POST", f"{V2}/requests.json", {"data": form})


OPEN311: tuple[tuple[str, Promise], ...] = (
    (f"GET {V2}/discovery.{{format}}", Public(EVERYBODY, f"{V2}/discovery.xml")),
    (f"GET {V2}/services.{{format}}", Public(EVERYBODY, f"{V2}/services.xml?{OF_TOWN}")),
    (
        f"GET {V2}/services/{{code}}.{{format}}",
        Public(EVERYBODY, f"{V2}/services/lift-fault.json?{OF_TOWN}"),
    ),
    (
        f"GET {V2}/requests.{{format}}",
        Public(EVERYBODY, f"{V2}/requests.json?{OF_TOWN}&{IN_2020}&extensions=true"),
    ),
    (
        f"GET {V2}/requests/{{incident_id}}.{{format}}",
        Public(EVERYBODY, f"{V2}/requests/{LIFT}.xml?{OF_TOWN}"),
    ),
    (
        f"GET {V2}/tokens/{{incident_id}}.{{format}}",
        Public(EVERYBODY, f"{V2}/tokens/{LIFT}.json?{OF_TOWN}"),
    ),
    (
        f"POST {V2}/requests.{{format}}",
        Changes(EVERYBODY, report, TABLES, foreign=400),
    ),
)
