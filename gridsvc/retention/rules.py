"""The one table of retention: a rule for each table of the schema, in the order of deletion.

What refers to a row stands before it, so that a foreign key never stands in the way. It is what
``./grid retention`` shows and applies; docs/PRIVACY.md repeats the limits, and a test compares.
"""

from collections.abc import Mapping

from gridsvc.retention.model import Rule

_YEAR = 365

_LIMITED = (
    Rule("sso_attempt", 1, "it ran out", "single sign-on that nobody came back from"),
    Rule("throttle", 2, "the last try", "counters forget after twelve hours anyway"),
    Rule("idempotency_key", 30, "the answer", "phones repeat a request within days"),
    Rule("sign_in", 30, "it ran out", "so that its owner can still ask what it was"),
    Rule("device_token", 60, "its use, else it ran out", "a second use must be noticed"),
    Rule(
        "device",
        60,
        "it was revoked, else made",
        "a phone no token of which is left; the list of devices shows it until then",
    ),
    Rule("invitation", 90, "it ran out", "so that a late guest is told why it does not work"),
    Rule("api_key", 90, "its end", "so that a script's owner finds out which key it was"),
    Rule("job", 90, "it ended", "so that whoever asked sees what came of it"),
    Rule("imported_feature", 90, "it was applied, else made", "what a file held; no people"),
    Rule("territory_import", 3 * _YEAR, "it was applied, else made", "where a shape came from"),
    Rule("notice_attempt", 90, "it was made", "why something did not arrive"),
    Rule("notice_delivery", 90, "it was made", "what was sent where; dead letters can be resent"),
    Rule("notice", 90, "it was written", "once none of its deliveries is left"),
    Rule("inbox_entry", 180, "it was written", "to look up what one was told"),
    Rule("audit_event", 3 * _YEAR, "it happened", "whoever looked somebody up must answer for it"),
    Rule("contact_plan_support", 2 * _YEAR, "its plan, unless in force", "to compare with before"),
    Rule("contact_plan_line", 2 * _YEAR, "its plan, unless in force", "to compare with before"),
    Rule("contact", 2 * _YEAR, "its last day", "who was to be asked back then"),
    Rule("contact_plan", 2 * _YEAR, "it was applied, else made", "unless in force or referred to"),
    Rule("patrol_stop", _YEAR, "the end of the shift", "when a place was last visited"),
    Rule("patrol_left_out", _YEAR, "the end of the shift", "why a place was not visited"),
    Rule("patrol_route", _YEAR, "the end of the shift", "to compare with last year's"),
    Rule("patrol_shift", _YEAR, "its end", "to compare with last year's"),
    Rule("member_absence", _YEAR, "its last day", "who could be asked back then"),
    Rule("contact_exclusion", _YEAR, "its last day", "why somebody was not asked back then"),
    Rule("post", 2 * _YEAR, "its last day", "who held an office before"),
    Rule(
        "member_consent",
        30,
        "it was withdrawn",
        "whoever withdraws is erased whole then; agreeing anew in time stops that",
    ),
    Rule("member", 2 * _YEAR, "the erasure", "an empty row that old plans refer to, until then"),
    Rule("party_link", 90, "it ran out", "who could answer for an incident back then"),
    Rule(
        "incident_event",
        3 * _YEAR,
        "it happened, once the incident is closed",
        "the words go, in which somebody may be named; what was done when stays",
        clears="note",
    ),
    Rule(
        "report",
        180,
        "its incident was closed",
        "the link that follows it, and the address for answers; until then it can be reopened",
    ),
    Rule("published_photo", _YEAR, "its incident was closed", "what everybody saw of it"),
    Rule("photo", _YEAR, "its incident was closed", "what was to be done, and that it was"),
    Rule(
        "incident",
        3 * _YEAR,
        "it was closed",
        "the words go, in which somebody may be named; the count of each place stays",
        clears="summary",
    ),
)

_ERASED = "until the person is erased"
_ACCOUNT = "with its account"
_TERRITORY = "the map; no people"
_COUNTS = "counts; no people"
_KEPT = {
    "account": _ERASED,
    "account_scope": _ACCOUNT,
    "development_code": "of demonstrations only; new at each start",
    "sso_identity": _ACCOUNT,
    "member_identity": _ERASED,
    "member_affiliation": _ERASED,
    "member_hours": _ERASED,
    "contact_pin": "until a coordinator lets go of the choice, or the person is erased",
    "party": "the name of an organisation; its address goes when it is retired",
    "organisation": "a name and how many people; nobody in particular",
    "notice_channel": "until an administrator deletes it; addresses encrypted",
    "patrol_team": "a name and hours; nobody in particular",
    "street": _TERRITORY,
    "community": _TERRITORY,
    "compound": _TERRITORY,
    "building": _TERRITORY,
    "stairwell": _TERRITORY,
    "walkway": _TERRITORY,
    "compound_version": _TERRITORY,
    "building_version": _TERRITORY,
    "stairwell_version": _TERRITORY,
    "grid_lineage": _TERRITORY,
    "category": "the catalogue",
    "heat_cell": _COUNTS,
    "heat_release": _COUNTS,
    "heat_release_total": _COUNTS,
}

RULES: Mapping[str, Rule] = {rule.table: rule for rule in _LIMITED} | {
    table: Rule(table, None, "", why) for table, why in _KEPT.items()
}
