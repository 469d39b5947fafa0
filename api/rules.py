"""Who may call which route: the one table that is enforced, documented and tested.

A route that is not in it is refused to everybody, and a test fails.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from gridsvc.access.model import FIELD_ROLES, KEY_ROLES, PATROL_ROLES, ROLES, STAFF_ROLES


@dataclass(frozen=True)
class Rule:
    """Who may call a route.

    Attributes
    ----------
    roles
        Of accounts.
    is_open
        Whether visitors without an account may, too.
    is_for_keys
        Whether an API key will do; a key only ever reads.
    is_for_machines
        Nobody is asked who they are: the route says nothing about the territory, and must answer
        when the database does not.
    """

    roles: frozenset[str]
    is_open: bool = False
    is_for_keys: bool = True
    is_for_machines: bool = False


def _for(*roles: str, is_for_keys: bool = True) -> Rule:
    return Rule(frozenset(roles), is_for_keys=is_for_keys)


OPEN = Rule(frozenset(ROLES), is_open=True)
MACHINES = Rule(frozenset(ROLES), is_open=True, is_for_machines=True)
SIGNED_IN = _for(*ROLES)
STAFF = _for(*STAFF_ROLES)
PATROLS = _for(*PATROL_ROLES)
FIELD = _for(*FIELD_ROLES)
PLANNING = _for(*STAFF_ROLES, "planner")
MAPS = _for(*PATROL_ROLES, "planner")
TERRITORY = _for(*FIELD_ROLES, "planner")
ADMINISTRATORS = _for("administrator")
# What people do with their own account: a key, which lies in scripts, must not.
SELF = partial(_for, is_for_keys=False)
OWN_ACCOUNT = SELF(*ROLES)
OWN_KEYS = SELF(*KEY_ROLES)

_API = "/api/v1"
RULES: Mapping[str, Rule] = {
    "GET /healthz": MACHINES,
    "GET /readyz": MACHINES,
    "GET /assets/{name:path}": MACHINES,
    # who is asking
    f"POST {_API}/session": OPEN,
    f"GET {_API}/session": SIGNED_IN,
    f"DELETE {_API}/session": OPEN,
    f"POST {_API}/session/refresh": OPEN,
    f"GET {_API}/sign-ins": OWN_ACCOUNT,
    f"DELETE {_API}/sign-ins": OWN_ACCOUNT,
    f"DELETE {_API}/sign-ins/{{sign_in_id}}": OWN_ACCOUNT,
    f"GET {_API}/keys": OWN_KEYS,
    f"POST {_API}/keys": OWN_KEYS,
    f"DELETE {_API}/keys/{{key_id}}": OWN_KEYS,
    # accounts
    f"GET {_API}/accounts": ADMINISTRATORS,
    f"POST {_API}/accounts": ADMINISTRATORS,
    f"POST {_API}/accounts/search": ADMINISTRATORS,
    f"POST {_API}/accounts/list": ADMINISTRATORS,
    f"GET {_API}/accounts/{{account_id}}": ADMINISTRATORS,
    f"PATCH {_API}/accounts/{{account_id}}": ADMINISTRATORS,
    f"POST {_API}/accounts/{{account_id}}/invitation": ADMINISTRATORS,
    f"DELETE {_API}/accounts/{{account_id}}/second-factor": ADMINISTRATORS,
    f"POST {_API}/invitations/redeem": OPEN,
    # territory
    f"GET {_API}/communities": SIGNED_IN,
    f"GET {_API}/compounds": TERRITORY,
    f"GET {_API}/compounds/{{code}}": TERRITORY,
    f"GET {_API}/stairwells": TERRITORY,
    f"GET {_API}/stairwells/{{code}}": TERRITORY,
    f"GET {_API}/stairwells/{{code}}/card": _for(*STAFF_ROLES, "contact"),
    f"GET {_API}/imports": ADMINISTRATORS,
    f"POST {_API}/imports": ADMINISTRATORS,
    f"GET {_API}/imports/{{import_id}}": ADMINISTRATORS,
    f"DELETE {_API}/imports/{{import_id}}": ADMINISTRATORS,
    f"GET {_API}/imports/{{import_id}}/faults.geojson": ADMINISTRATORS,
    f"GET {_API}/imports/{{import_id}}/rejects.csv": ADMINISTRATORS,
    f"POST {_API}/imports/{{import_id}}/apply": ADMINISTRATORS,
    f"GET {_API}/grids/{{code}}": MAPS,
    f"GET {_API}/grids/{{code}}/history": MAPS,
    f"PATCH {_API}/grids/{{code}}": STAFF,
    f"POST {_API}/grids/{{code}}/split": STAFF,
    f"POST {_API}/grids/merge": STAFF,
    f"POST {_API}/grids/{{code}}/void": STAFF,
    # long work
    f"GET {_API}/jobs": STAFF,
    f"GET {_API}/jobs/{{job_id}}": STAFF,
    f"POST {_API}/jobs/{{job_id}}/cancel": STAFF,
    # contacts
    f"GET {_API}/contacts/plans": STAFF,
    f"POST {_API}/contacts/plans": STAFF,
    f"GET {_API}/contacts/plans/{{plan_id}}": STAFF,
    f"GET {_API}/contacts/plans/{{plan_id}}/lines": STAFF,
    f"POST {_API}/contacts/plans/{{plan_id}}/decisions": STAFF,
    f"POST {_API}/contacts/plans/{{plan_id}}/review": STAFF,
    f"POST {_API}/contacts/plans/{{plan_id}}/apply": STAFF,
    f"POST {_API}/contacts/plans/{{plan_id}}/withdraw": STAFF,
    f"GET {_API}/contacts/plans/{{plan_id}}/explanations": STAFF,
    f"GET {_API}/contacts/plans/{{plan_id}}/shortages": STAFF,
    f"GET {_API}/contacts/plans/{{plan_id}}/savings/{{code}}": STAFF,
    f"POST {_API}/contacts/plans/{{plan_id}}/files/{{format}}": STAFF,
    f"GET {_API}/contacts": STAFF,
    f"GET {_API}/contacts/own": _for(*STAFF_ROLES, "contact"),
    f"GET {_API}/contacts/alerts": STAFF,
    f"GET {_API}/contacts/coverage": STAFF,
    f"GET {_API}/contacts/stairwells/{{code}}": STAFF,
    f"GET {_API}/contacts/pins": STAFF,
    f"DELETE {_API}/contacts/pins/{{code}}": STAFF,
    f"POST {_API}/contacts/hand-overs": STAFF,
    # incidents
    f"GET {_API}/categories": SIGNED_IN,
    f"GET {_API}/incidents": FIELD,
    f"GET {_API}/incidents/{{incident_id}}": FIELD,
    f"POST {_API}/incidents": FIELD,
    f"GET {_API}/incidents/counts": FIELD,
    f"GET {_API}/incidents/numbers": STAFF,
    f"POST {_API}/incidents/assign": STAFF,
    f"POST {_API}/incidents/{{incident_id}}/steps": FIELD,
    f"GET {_API}/incidents/{{incident_id}}/events": FIELD,
    f"POST {_API}/incidents/{{incident_id}}/links": STAFF,
    f"GET {_API}/parties": STAFF,
    f"POST {_API}/parties": STAFF,
    f"PATCH {_API}/parties/{{party_id}}": STAFF,
    f"POST {_API}/handed": OPEN,
    f"POST {_API}/handed/steps": OPEN,
    f"GET {_API}/heat": MAPS,
    # reports of people without an account
    f"POST {_API}/reports": OPEN,
    f"POST {_API}/reports/batch": OPEN,
    f"POST {_API}/reports/nearby": OPEN,
    f"GET {_API}/reports/{{incident_id}}": OPEN,
    f"POST {_API}/reports/{{incident_id}}/photos": OPEN,
    f"GET {_API}/reports/{{incident_id}}/photos": OPEN,
    f"GET {_API}/reports/{{incident_id}}/photos/{{photo_id}}": OPEN,
    f"DELETE {_API}/reports/{{incident_id}}/photos/{{photo_id}}": OPEN,
    f"GET {_API}/photos/{{code}}/{{photo_id}}": OPEN,
    # patrols
    f"GET {_API}/patrols/routes": PATROLS,
    f"GET {_API}/patrols/routes/{{route_id}}": PATROLS,
    f"GET {_API}/patrols/routes/{{route_id}}/left-out": PATROLS,
    f"POST {_API}/patrols/evenings": STAFF,
    # people
    f"GET {_API}/members": STAFF,
    f"POST {_API}/members": STAFF,
    f"GET {_API}/members/twins": STAFF,
    f"POST {_API}/members/merge": STAFF,
    f"POST {_API}/members/import": STAFF,
    f"GET {_API}/members/{{member_id}}": _for(*STAFF_ROLES, "contact"),
    f"PATCH {_API}/members/{{member_id}}": STAFF,
    f"POST {_API}/members/{{member_id}}/consent": STAFF,
    f"POST {_API}/members/{{member_id}}/withdraw-consent": STAFF,
    f"POST {_API}/members/{{member_id}}/absences": STAFF,
    f"DELETE {_API}/members/{{member_id}}/absences/{{absence_id}}": STAFF,
    f"POST {_API}/members/{{member_id}}/exclusions": STAFF,
    f"DELETE {_API}/members/{{member_id}}/exclusions/{{exclusion_id}}": STAFF,
    f"POST {_API}/members/{{member_id}}/posts": STAFF,
    f"DELETE {_API}/members/{{member_id}}/posts/{{post_id}}": STAFF,
    f"POST {_API}/members/search": STAFF,
    f"POST {_API}/members/{{member_id}}/reveal": STAFF,
    f"GET {_API}/audit": STAFF,
    # notices
    f"GET {_API}/notices/channels": ADMINISTRATORS,
    f"POST {_API}/notices/channels": ADMINISTRATORS,
    f"PATCH {_API}/notices/channels/{{channel_id}}": ADMINISTRATORS,
    f"DELETE {_API}/notices/channels/{{channel_id}}": ADMINISTRATORS,
    f"POST {_API}/notices/channels/{{channel_id}}/test": ADMINISTRATORS,
    f"GET {_API}/notices/deliveries": STAFF,
    f"GET {_API}/notices/deliveries/{{delivery_id}}": ADMINISTRATORS,
    f"POST {_API}/notices/deliveries/{{delivery_id}}/resend": ADMINISTRATORS,
    f"POST {_API}/notices/deliveries/{{delivery_id}}/copied": STAFF,
    f"GET {_API}/inbox": OWN_ACCOUNT,
    f"POST {_API}/inbox/read": OWN_ACCOUNT,
    f"POST {_API}/inbox/{{entry_id}}/read": OWN_ACCOUNT,
    f"GET {_API}/live": FIELD,
    # across
    f"GET {_API}/results": STAFF,
    f"GET {_API}/comparison": STAFF,
    f"GET {_API}/export/{{layer}}.{{format}}": PLANNING,
    "GET /tiles/{layer}/{z}/{x}/{y}.mvt": MAPS,
    # OGC API: the library's routes
    "GET /ogc": PLANNING,
    "GET /ogc/": PLANNING,
    "GET /ogc/api": PLANNING,
    "GET /ogc/conformance": PLANNING,
    "GET /ogc/collections": PLANNING,
    "GET /ogc/collections/{collectionId}": PLANNING,
    "GET /ogc/collections/{collectionId}/queryables": PLANNING,
    "GET /ogc/collections/{collectionId}/items": PLANNING,
    "GET /ogc/collections/{collectionId}/items/{itemId}": PLANNING,
    "GET /ogc/collections/{collectionId}/tiles": PLANNING,
    "GET /ogc/collections/{collectionId}/tiles/{tileMatrixSetId}": PLANNING,
    "GET /ogc/collections/{collectionId}/tiles/{tileMatrixSetId}/{z}/{x}/{y}": PLANNING,
    "GET /ogc/collections/{collectionId}/tiles/{tileMatrixSetId}/tilejson.json": PLANNING,
    "GET /ogc/collections/{collectionId}/tiles/{tileMatrixSetId}/style.json": PLANNING,
    "GET /ogc/tileMatrixSets": PLANNING,
    "GET /ogc/tileMatrixSets/{tileMatrixSetId}": PLANNING,
    # Open311: for everybody; a report needs an API key, which its form holds
    "GET /open311/v2/discovery.{format}": OPEN,
    "GET /open311/v2/services.{format}": OPEN,
    "GET /open311/v2/services/{code}.{format}": OPEN,
    "GET /open311/v2/requests.{format}": OPEN,
    "POST /open311/v2/requests.{format}": OPEN,
    "GET /open311/v2/requests/{incident_id}.{format}": OPEN,
    "GET /open311/v2/tokens/{incident_id}.{format}": OPEN,
    # pages
    "GET /": SIGNED_IN,
    "GET /login": OPEN,
    "POST /login": OPEN,
    "GET /login/second-factor": OPEN,
    "POST /login/second-factor": OPEN,
    "GET /sso/start": OPEN,
    "POST /sso/start": OPEN,
    "GET /sso/callback": OPEN,
    "POST /account/sso": OWN_ACCOUNT,
    "POST /logout": OPEN,
    "GET /map": MAPS,
    "GET /results": STAFF,
    "GET /jobs/{job_id}": STAFF,
    "POST /jobs/{job_id}/cancel": STAFF,
    "GET /invite": OPEN,
    "POST /invite": OPEN,
    "POST /invite/password": OPEN,
    "GET /account": OWN_ACCOUNT,
    "POST /account/password": OWN_ACCOUNT,
    "POST /account/sign-ins/end-others": OWN_ACCOUNT,
    "POST /account/sign-ins/{sign_in_id}/end": OWN_ACCOUNT,
    "POST /account/keys": OWN_KEYS,
    "POST /account/keys/{key_id}/revoke": OWN_KEYS,
    # reports of people without an account, and what coordinators publish of their photos
    "GET /g/{code}": OPEN,
    "GET /report": OPEN,
    "POST /report": OPEN,
    "GET /report/follow": OPEN,
    "POST /report/follow": OPEN,
    "POST /report/follow/say": OPEN,
    "GET /incidents/photos": STAFF,
    "GET /incidents/photos/{photo_id}": STAFF,
    "POST /incidents/photos/{photo_id}": STAFF,
    "GET /incidents/photos/{photo_id}/image": STAFF,
    # household contacts
    "GET /contacts": STAFF,
    "POST /contacts": STAFF,
    "GET /contacts/plans/{plan_id}": STAFF,
    "POST /contacts/plans/{plan_id}": STAFF,
    "GET /contacts/plans/{plan_id}/stairwells/{code}": STAFF,
    "GET /contacts/plans/{plan_id}/shortages": STAFF,
    "POST /contacts/plans/{plan_id}/files/{format}": STAFF,
    "GET /contacts/coverage": STAFF,
    "GET /contacts/hand-over/{member_id}": STAFF,
    "POST /contacts/hand-over/{member_id}": STAFF,
    "GET /contacts/notices/{code}.pdf": STAFF,
    "GET /my-stairwells": _for(*STAFF_ROLES, "contact"),
    # notices
    "GET /inbox": OWN_ACCOUNT,
    "POST /inbox": OWN_ACCOUNT,
    "GET /notices": STAFF,
    "POST /notices/{delivery_id}": STAFF,
    "GET /admin/notices": ADMINISTRATORS,
    "POST /admin/notices": ADMINISTRATORS,
    "POST /admin/notices/channels/{channel_id}": ADMINISTRATORS,
    "POST /admin/notices/deliveries/{delivery_id}": ADMINISTRATORS,
    # incidents
    "GET /incidents": FIELD,
    "POST /incidents": STAFF,
    "GET /incidents/files/{format}": STAFF,
    "GET /incidents/{incident_id}": FIELD,
    "POST /incidents/{incident_id}": FIELD,
    "POST /incidents/{incident_id}/link": STAFF,
    "GET /handed": OPEN,
    "POST /handed": OPEN,
    # the office
    "GET /admin": ADMINISTRATORS,
    "POST /admin": ADMINISTRATORS,
    "GET /admin/accounts/{account_id}": ADMINISTRATORS,
    "POST /admin/accounts/{account_id}": ADMINISTRATORS,
    "POST /admin/accounts/{account_id}/disable": ADMINISTRATORS,
    "POST /admin/accounts/{account_id}/enable": ADMINISTRATORS,
    "POST /admin/accounts/{account_id}/reset-second-factor": ADMINISTRATORS,
    "POST /admin/accounts/{account_id}/invite": ADMINISTRATORS,
    "GET /admin/invite": ADMINISTRATORS,
    "POST /admin/invite": ADMINISTRATORS,
    "GET /admin/invite-list": ADMINISTRATORS,
    "POST /admin/invite-list": ADMINISTRATORS,
    "GET /admin/territory": ADMINISTRATORS,
    "POST /admin/territory": ADMINISTRATORS,
    "GET /admin/territory/{import_id}": ADMINISTRATORS,
    "POST /admin/territory/{import_id}/apply": ADMINISTRATORS,
    "POST /admin/territory/{import_id}/discard": ADMINISTRATORS,
    "GET /admin/members": STAFF,
    "POST /admin/members": STAFF,
    "POST /admin/members/{member_id}/reveal": STAFF,
    "GET /admin/members/import": STAFF,
    "POST /admin/members/import": STAFF,
    "GET /admin/members/twins": STAFF,
    "POST /admin/members/merge": STAFF,
    "GET /admin/members/new": STAFF,
    "POST /admin/members/new": STAFF,
    "GET /admin/members/{member_id}": STAFF,
    "POST /admin/members/{member_id}": STAFF,
    "POST /admin/members/{member_id}/act": STAFF,
    "GET /admin/audit": STAFF,
    "GET /admin/rules": OWN_ACCOUNT,
}


def rule_of(method: str, path: str) -> Rule | None:
    """Return the rule of a route by its path template; HEAD follows GET."""
    return RULES.get(f"{'GET' if method == 'HEAD' else method} {path}")
