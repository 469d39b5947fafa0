"""What every route that reads promises: one line a route."""

from tests.api.matrix import (
    ACCOUNTS,
    ADMINISTRATORS,
    EVERYBODY,
    FIELD,
    KEEPERS,
    PATROLS,
    PLANNERS,
    SIGNED_IN,
    STAFF,
    Caller,
    Words,
    World,
)
from tests.api.matrix_contact_pages import CONTACT_PAGE_READS
from tests.api.matrix_contacts import CONTACT_READS
from tests.api.matrix_found import (
    by_pattern,
    cells,
    each,
    each_of_lists,
    features,
    figures,
    in_page,
    in_parquet,
    in_tile,
    of_card,
    of_history,
    of_results,
    of_session,
    subjects,
)
from tests.api.matrix_incident_life import LIFE_PAGE_READS, LIFE_READS
from tests.api.matrix_promises import Alike, Frame, Lists, Offices, One, Promise, Rows, Shut, Tell
from tests.api.test_tiles import WHOLE_TOWN

V1 = "/api/v1"

# ---- what the owner counts

IN_USE = "retired_on IS NULL"
COMMUNITIES = Rows("community", "code", territory="code")
COMPOUNDS = Rows(
    "compound",
    "code",
    IN_USE,
    of_contact="code IN (SELECT left(s.stairwell_code, 15) FROM ({own}) s)",
)
BUILDINGS = Rows("building", "code", IN_USE)
STAIRWELLS = Rows("stairwell", "code", IN_USE, of_contact="code IN ({own})")
WALKWAYS = Rows("walkway")
INCIDENTS = Rows("incident", of_contact="stairwell_code IN ({own})")
ROUTES = Rows("patrol_route")
MEMBERS = Rows("member")
AUDIT = Rows("audit_event")
OFFICES = Offices()


def told(sql: str) -> Tell:
    """Return the numbers that a query with ``{own}``, the caller's territory, gives in a row."""

    def tell(world: World, caller: Caller) -> list[str]:
        between = f"community_code BETWEEN {caller.interval.lo} AND {caller.interval.hi}"
        return world.once(sql.format(own=between))

    return tell


def table_sum(table: str, column: str = "count(*)", where: str = "true") -> str:
    return f"(SELECT {column} FROM gridsvc.{table} WHERE {{own}} AND {where})"  # noqa: S608 - own words


def numbers(*queries: str) -> Tell:
    """Return several numbers, each counted for itself."""
    return told(f"SELECT unnest(ARRAY[{', '.join(queries)}]::bigint[])")


HEAT = told(
    "SELECT cell_x || '/' || cell_y || '=' || sum(incident_count) FROM gridsvc.heat_cell"
    " WHERE {own} GROUP BY cell_x, cell_y"
)
RELEASE = told(
    "SELECT cell_x || '/' || cell_y || '=' || sum(incident_count) FROM gridsvc.heat_release"
    " WHERE {own} GROUP BY zoom, cell_x, cell_y"
)
RESULTS = numbers(
    table_sum("stairwell", where=IN_USE),
    table_sum("incident"),
    table_sum("post", where="kind = 'building_chief'"),
    table_sum("organisation", "sum(people)"),
)
# Where incidents were reported, which is one ground each in the town: only the first descends.
REPORTED_IN = told(
    "SELECT DISTINCT stairwell_code FROM gridsvc.incident WHERE {own} AND stairwell_code <> ''"
)
COMPARED = "before_from=2019-01-01&before_to=2020-05-31&after_from=2020-06-01&after_to=2030-01-01"
# Of one thing, by its id.
LEFT_OUT = (
    "SELECT l.stairwell_code FROM gridsvc.patrol_left_out l"
    " JOIN gridsvc.patrol_route r USING (community_code, run_id) WHERE r.id = '{id}'"
)
OF_CARD = (
    "SELECT unnest(ARRAY['{id}', count(*)::text]) FROM gridsvc.incident"
    " WHERE stairwell_code = '{id}'"
)


def trail_of(world: World, caller: Caller) -> list[str]:
    """Return what the newest fifty entries are about."""
    newest = AUDIT.query(caller, world).replace("ORDER BY 1", "ORDER BY at DESC, id DESC LIMIT 50")
    return world.owner(newest.replace("SELECT id", "SELECT subject", 1))


def own_keys(world: World, caller: Caller) -> list[str]:
    return world.once(
        f"SELECT id FROM gridsvc.api_key WHERE account_id = '{world.account(caller).id}'"  # noqa: S608 - an id
    )


def own_sign_ins(world: World, caller: Caller) -> list[str]:
    return world.once(
        f"SELECT id FROM gridsvc.sign_in WHERE account_id = '{world.account(caller).id}'"  # noqa: S608 - an id
    )


def audit_of(world: World, caller: Caller) -> list[str]:
    return world.owner(AUDIT.query(caller, world))


def session_of(_: World, caller: Caller) -> list[object]:
    role = "planner" if caller.kind == "key" else caller.kind
    return [role, caller.interval.lo, caller.interval.hi]


# ---- the routes


def export(
    layer: str, rows: Rows | Tell, kinds: Words = STAFF | PLANNERS, form: str = "geojson"
) -> tuple[str, Promise]:
    path = f"{V1}/export/{layer}.{form}"
    found = FOUND_IN.get((layer, form), features)
    return f"GET {V1}/export/{{layer}}.{{format}}", Lists(kinds, rows, found, path)


FOUND_IN = {
    ("stairwells", "csv"): by_pattern(r'(?m)^"=""(\d{20})"""'),
    ("heat", "geojson"): cells,
    ("buildings", "parquet"): in_parquet("code"),
}


def tile(layer: str, rows: Rows) -> tuple[str, Promise]:
    z, x, y = WHOLE_TOWN
    found = in_tile("id" if layer == "walkways" else "code")
    path = f"/tiles/{layer}/{z}/{x}/{y}.mvt"
    return "GET /tiles/{layer}/{z}/{x}/{y}.mvt", Lists(PATROLS | PLANNERS, rows, found, path)


WORKERS = FIELD | PLANNERS
IN_LIST = by_pattern(r'"/admin/accounts/([0-9a-f-]{36})"')
IN_LOGIN = by_pattern(r"<code>demo-([0-9a-f-]{36})</code>")
TO_REVEAL = by_pattern(r"/admin/members/([0-9a-f-]{36})/reveal")
STOPS = each("stairwell_code")
READS: tuple[tuple[str, Promise], ...] = (
    ("GET /healthz", Alike(EVERYBODY)),
    ("GET /readyz", Alike(EVERYBODY)),
    ("GET /assets/{name:path}", Alike(EVERYBODY, "/assets/leaflet/leaflet.js")),
    (f"GET {V1}/session", Lists(SIGNED_IN, session_of, of_session)),
    (f"GET {V1}/sign-ins", Lists(ACCOUNTS, own_sign_ins, each("id"))),
    (f"GET {V1}/keys", Lists(KEEPERS, own_keys, each("id"))),
    # accounts
    (f"GET {V1}/accounts", Lists(ADMINISTRATORS, OFFICES, each("id"), f"{V1}/accounts?limit=999")),
    (
        f"POST {V1}/accounts/search",
        Lists(ADMINISTRATORS, OFFICES, each("id"), send={"json": {"words": "demo", "limit": 999}}),
    ),
    (f"GET {V1}/accounts/{{account_id}}", One(ADMINISTRATORS, OFFICES)),
    (f"GET {V1}/categories", Alike(SIGNED_IN)),
    # territory
    (f"GET {V1}/communities", Lists(SIGNED_IN, COMMUNITIES, each("code"))),
    (f"GET {V1}/compounds", Lists(WORKERS, COMPOUNDS, each("code"))),
    (f"GET {V1}/compounds/{{code}}", One(WORKERS, COMPOUNDS)),
    (f"GET {V1}/stairwells", Lists(WORKERS, STAIRWELLS, each("code"))),
    (f"GET {V1}/stairwells/{{code}}", One(WORKERS, STAIRWELLS)),
    (f"GET {V1}/stairwells/{{code}}/card", One(STAFF | {"contact"}, STAIRWELLS, of_card, OF_CARD)),
    (f"GET {V1}/grids/{{code}}", One(PATROLS | PLANNERS, STAIRWELLS)),
    (f"GET {V1}/grids/{{code}}/history", One(PATROLS | PLANNERS, STAIRWELLS, of_history)),
    # contacts
    *CONTACT_READS,
    *CONTACT_PAGE_READS,
    # incidents
    (f"GET {V1}/incidents", Lists(FIELD, INCIDENTS, each("id"))),
    (f"GET {V1}/incidents/{{incident_id}}", One(FIELD, INCIDENTS)),
    *LIFE_READS,
    *LIFE_PAGE_READS,
    (
        f"GET {V1}/heat",
        Lists(PATROLS | PLANNERS, HEAT, cells, f"{V1}/heat?zoom=20", planner_rows=RELEASE),
    ),
    # patrols
    (f"GET {V1}/patrols/routes", Lists(PATROLS, ROUTES, each("id"))),
    (f"GET {V1}/patrols/routes/{{route_id}}", One(PATROLS, ROUTES)),
    (
        f"GET {V1}/patrols/routes/{{route_id}}/left-out",
        One(PATROLS, ROUTES, STOPS, LEFT_OUT),
    ),
    # people
    (
        f"POST {V1}/members/search",
        Lists(STAFF, MEMBERS, each("member_id"), send={"json": {"words": "甲"}}),
    ),
    (f"GET {V1}/audit", Lists(STAFF, audit_of, each("id"))),
    # across
    (f"GET {V1}/results", Lists(STAFF, RESULTS, of_results)),
    (
        f"GET {V1}/comparison",
        Lists(STAFF, REPORTED_IN, each_of_lists("codes"), f"{V1}/comparison?{COMPARED}"),
    ),
    export("communities", COMMUNITIES),
    export("compounds", COMPOUNDS),
    export("buildings", BUILDINGS),
    export("stairwells", STAIRWELLS),
    export("walkways", WALKWAYS),
    export("incidents", INCIDENTS, STAFF),
    export("coverage", STAIRWELLS, STAFF),
    export("heat", RELEASE),
    export("stairwells", STAIRWELLS, form="csv"),
    export("buildings", BUILDINGS, form="parquet"),
    tile("compounds", COMPOUNDS),
    tile("buildings", BUILDINGS),
    tile("stairwells", STAIRWELLS),
    tile("walkways", WALKWAYS),
    # pages
    ("GET /", Lists(SIGNED_IN, COMMUNITIES, in_page(12), nothing_for=SIGNED_IN - STAFF)),
    ("GET /map", Lists(PATROLS | PLANNERS, COMPOUNDS, in_page(15))),
    ("GET /results", Lists(STAFF, RESULTS, figures)),
    ("GET /login", Alike(EVERYBODY)),
    ("GET /invite", Alike(EVERYBODY)),
    ("GET /account", Frame(ACCOUNTS)),
    ("GET /admin", Lists(ADMINISTRATORS, OFFICES, IN_LIST)),
    ("POST /admin", Lists(ADMINISTRATORS, OFFICES, IN_LIST, send={"data": {"words": "demo"}})),
    ("GET /admin/accounts/{account_id}", One(ADMINISTRATORS, OFFICES, IN_LOGIN)),
    ("GET /admin/invite", Frame(ADMINISTRATORS)),
    ("GET /admin/invite-list", Frame(ADMINISTRATORS)),
    ("POST /admin/members", Lists(STAFF, MEMBERS, TO_REVEAL, send={"data": {"words": "甲"}})),
    ("GET /admin/audit", Lists(STAFF, trail_of, subjects)),
    ("GET /admin/rules", Frame(ACCOUNTS)),
    # between password and code; with a provider of single sign-on
    ("GET /login/second-factor", Shut(EVERYBODY, 401)),
    ("POST /login/second-factor", Shut(EVERYBODY, 401)),
    ("GET /sso/start", Shut(EVERYBODY, 404)),
    ("POST /sso/start", Shut(EVERYBODY, 404)),
    ("GET /sso/callback", Shut(EVERYBODY, 404)),
    ("POST /account/sso", Shut(ACCOUNTS, 404)),
)
