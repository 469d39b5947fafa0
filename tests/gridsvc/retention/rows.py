"""One row of each table with a limit, as old as a test wants it, with what it stands on."""

# ruff: noqa: S608 - the words put together here are our own

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from tests import town

A = town.EAST_SHORE
ACCOUNT, DEVICE, ROW, PLAN, SHIFT = (
    town.id_of("retention", what) for what in ("account", "device", "row", "plan", "shift")
)
NAMES: dict[str, Any] = {
    "a": A,
    "street": town.STREET,
    "account": ACCOUNT,
    "device": DEVICE,
    "row": ROW,
    "plan": PLAN,
    "shift": SHIFT,
    "team": town.id_of("team", A, 0),
    "member": town.id_of("member", A, 1),
    "stairwell": town.stairwell_code(A),
}

_DAY = "(:at AT TIME ZONE 'Asia/Shanghai')::date"
_ACCOUNT = (
    "INSERT INTO gridsvc.account (id, login, name, role, office_code)"
    " VALUES (:account, 'retention', '某', 'patrol', :a) ON CONFLICT DO NOTHING"
)
_MEMBER = (
    "INSERT INTO gridsvc.member (community_code, id, capacity_households, capacity_stairwells,"
    " geom) VALUES (:a, :row, 20, 2, 'SRID=4326;POINT(113.15 23.03)')"
)
_DEVICE = "INSERT INTO gridsvc.device (id, account_id, name) VALUES (:device, :account, 'phone')"
_PLAN = (
    "INSERT INTO gridsvc.contact_plan (community_code, id, run_id, status, applied_at, seed,"
    " weights, objective, bound, overload_households, nearest_overload_households)"
    " VALUES (:a, :plan, :plan, 'superseded', :at, 1, '{}', 1, 1, 0, 0)"
)
_IMPORT = (
    "INSERT INTO gridsvc.territory_import (community_code, id, layer, file_name, file_hash, format,"
    " crs_name, status, columns, notes, row_count, valid_from, created_at, applied_at)"
    " VALUES (:a, :row, 'compounds', 'a.geojson', 'h', 'GeoJSON', 'EPSG:4326', 'applied', '{}',"
    " '[]', 1, '2020-01-01', :at, :at)"
)
_SHIFT = (
    "INSERT INTO gridsvc.patrol_shift (community_code, id, team_id, during) VALUES"
    " (:a, :shift, :team, tstzrange(cast(:at AS timestamptz) - interval '2 hours', :at))"
)
_ROUTE = (
    "INSERT INTO gridsvc.patrol_route (community_code, id, run_id, shift_id, network, seed,"
    " distance_m, walk_s, prize) VALUES (:a, :row, :row, :shift, 'streets', 1, 0, 0, 0)"
)
_INCIDENT = (
    "INSERT INTO gridsvc.incident (community_code, id, category_code, status, reported_at,"
    " closed_at, summary, place, is_flagged, geom) VALUES (:street, :row, 'lift.fault',"
    " 'closed', :at, :at, '某人说', 'outside', true, 'SRID=4326;POINT(113.15 23.05)')"
)
_PHOTO = (
    "INSERT INTO gridsvc.photo (community_code, id, incident_id, position, image, thumbnail,"
    " width_px, height_px, source_hash) VALUES (:street, :row, :row, 1, 'i', 't', 1, 1, 'h')"
)

_NOTICE = (
    "INSERT INTO gridsvc.notice (community_code, id, template, values, subject, created_at)"
    " VALUES (:a, :row, 'incident.closed', '{}', 'x', :at)"
)
_DELIVERY = (
    "INSERT INTO gridsvc.notice_delivery (community_code, id, notice_id, kind, status, created_at,"
    " ended_at) VALUES (:a, :row, :row, 'wecom', 'dead', :at, :at)"
)

INSERTS: dict[str, tuple[str, ...]] = {
    "sso_attempt": (
        (
            "INSERT INTO gridsvc.sso_attempt (state_hash, browser_hash, nonce, code_verifier, goal,"
            " expires_at) VALUES ('s', 'b', 'n', 'v', '/', :at)"
        ),
    ),
    "throttle": (
        (
            "INSERT INTO gridsvc.throttle (key_hash, tries, free_at, tried_at)"
            " VALUES ('k', 1, :at, :at)"
        ),
    ),
    "idempotency_key": (
        (
            "INSERT INTO gridsvc.idempotency_key (community_code, account_id, key, request_hash,"
            " status, answer, created_at) VALUES (:a, :account, 'some-key', 'h', 201, '{}', :at)"
        ),
    ),
    "sign_in": (
        _ACCOUNT,
        (
            "INSERT INTO gridsvc.sign_in (token_hash, id, account_id, expires_at)"
            " VALUES ('t', :row, :account, :at)"
        ),
    ),
    "device_token": (
        _ACCOUNT,
        _DEVICE,
        (
            "INSERT INTO gridsvc.device_token (token_hash, device_id, expires_at, used_at)"
            " VALUES ('t', :device, :at + interval '60 days', :at)"
        ),
    ),
    "device": (
        _ACCOUNT,
        (
            "INSERT INTO gridsvc.device (id, account_id, name, created_at, revoked_at)"
            " VALUES (:device, :account, 'phone', :at - interval '1 year', :at)"
        ),
    ),
    "invitation": (
        _ACCOUNT,
        (
            "INSERT INTO gridsvc.invitation (id, account_id, code_hash, expires_at)"
            " VALUES (:row, :account, 'c', :at)"
        ),
    ),
    "api_key": (
        _ACCOUNT,
        (
            "INSERT INTO gridsvc.api_key (id, account_id, name, secret_hash, lo, hi, expires_at,"
            " revoked_at) VALUES ('k', :account, 'QGIS', 's', :a, :a,"
            " :at + interval '1 year', :at)"
        ),
    ),
    "job": (
        (
            "INSERT INTO gridsvc.job (community_code, id, kind, status, role, finished_at)"
            " VALUES (:a, :row, 'test.count', 'done', 'coordinator', :at)"
        ),
    ),
    "imported_feature": (
        _IMPORT,
        (
            "INSERT INTO gridsvc.imported_feature (community_code, import_id, row, fields)"
            " VALUES (:a, :row, 1, '{}')"
        ),
    ),
    "territory_import": (_IMPORT,),
    "notice_attempt": (
        _NOTICE,
        _DELIVERY,
        (
            "INSERT INTO gridsvc.notice_attempt (community_code, id, delivery_id, number, at,"
            " outcome, took_ms) VALUES (:a, :row, :row, 1, :at, 'timeout', 5000)"
        ),
    ),
    "notice_delivery": (_NOTICE, _DELIVERY),
    "notice": (_NOTICE,),
    "inbox_entry": (
        (
            "INSERT INTO gridsvc.inbox_entry (community_code, id, account_id, template, values,"
            " subject, created_at) VALUES (:a, :row, :account, 'incident.closed', '{}', 'x', :at)"
        ),
    ),
    "audit_event": (
        (
            "INSERT INTO gridsvc.audit_event (community_code, id, at, action, subject)"
            " VALUES (:a, :row, :at, 'test.case', 'x')"
        ),
    ),
    "contact_plan_line": (
        _PLAN,
        (
            "INSERT INTO gridsvc.contact_plan_line (community_code, plan_id, stairwell_code,"
            " member_id, reason, distance_m) VALUES (:a, :plan, :stairwell, :member, 'near', 5)"
        ),
    ),
    "contact_plan_support": (
        _PLAN,
        (
            "INSERT INTO gridsvc.contact_plan_line (community_code, plan_id, stairwell_code,"
            " reason) VALUES (:a, :plan, :stairwell, 'full')"
        ),
        (
            "INSERT INTO gridsvc.contact_plan_support (community_code, plan_id, stairwell_code,"
            " member_id, households, reason, distance_m)"
            " VALUES (:a, :plan, :stairwell, :member, 4, 'near', 5)"
        ),
    ),
    "contact": (
        (
            "INSERT INTO gridsvc.contact (community_code, id, stairwell_code, member_id, kind,"
            " valid, tier, distance_m) VALUES (:a, :row, :stairwell, :member, 'supporting',"
            f" daterange('2001-01-01', {_DAY}), 3, 5)"
        ),
    ),
    "contact_plan": (_PLAN,),
    "patrol_stop": (
        _SHIFT,
        _ROUTE,
        (
            "INSERT INTO gridsvc.patrol_stop (community_code, route_id, position, stairwell_code,"
            " prize, facts, arrives_at, departs_at, geom) VALUES (:a, :row, 1, :stairwell, 1, '{}',"
            " :at, :at, 'SRID=4326;POINT(113.15 23.03)')"
        ),
    ),
    "patrol_left_out": (
        _SHIFT,
        _ROUTE,
        (
            "INSERT INTO gridsvc.patrol_left_out (community_code, run_id, stairwell_code, reason,"
            " prize, facts) VALUES (:a, :row, :stairwell, 'traded', 1, '{}')"
        ),
    ),
    "patrol_route": (_SHIFT, _ROUTE),
    "patrol_shift": (_SHIFT,),
    "member_absence": (
        (
            "INSERT INTO gridsvc.member_absence (community_code, id, member_id, valid, kind)"
            f" VALUES (:a, :row, :member, daterange('2001-01-01', {_DAY}), 'leave')"
        ),
    ),
    "contact_exclusion": (
        (
            "INSERT INTO gridsvc.contact_exclusion (community_code, id, member_id, stairwell_code,"
            f" reason, since, until) VALUES (:a, :row, :member, :stairwell, '旧事', '2001-01-01',"
            f" {_DAY})"
        ),
    ),
    "post": (
        (
            "INSERT INTO gridsvc.post (community_code, id, kind, member_id, valid)"
            f" VALUES (:a, :row, 'lane_chief', :member, daterange('2001-01-01', {_DAY}))"
        ),
    ),
    "member_consent": (
        _MEMBER,
        (
            "INSERT INTO gridsvc.member_consent (community_code, id, member_id, given_on,"
            f" withdrawn_on, basis) VALUES (:a, :row, :row, '2001-01-01', {_DAY}, 'given')"
        ),
    ),
    "member": (
        (
            "INSERT INTO gridsvc.member (community_code, id, capacity_households,"
            " capacity_stairwells, is_available, erased_at, geom)"
            " VALUES (:a, :row, 0, 0, false, :at, 'SRID=4326;POINT(113.15 23.03)')"
        ),
    ),
    "report": (
        _INCIDENT,
        (
            "INSERT INTO gridsvc.report (community_code, incident_id, token_hash, token_cipher,"
            " request_hash, language, entry) VALUES (:street, :row, 'h', 'c', 'r', 'zh', 'api')"
        ),
    ),
    "photo": (_INCIDENT, _PHOTO),
    "published_photo": (
        _INCIDENT,
        _PHOTO,
        (
            "INSERT INTO gridsvc.published_photo (community_code, photo_id, incident_id, image,"
            " thumbnail, blurred_count, published_by) VALUES (:street, :row, :row, 'i', 't', 0,"
            " :account)"
        ),
    ),
    "party_link": (
        _INCIDENT,
        (
            "INSERT INTO gridsvc.party (community_code, id, name, kind)"
            " VALUES (:street, :row, '某物业', 'property_company')"
        ),
        (
            "INSERT INTO gridsvc.party_link (community_code, token_hash, incident_id, party_id,"
            " expires_at) VALUES (:street, 'retention', :row, :row, :at)"
        ),
    ),
    "incident_event": (
        _INCIDENT.replace("'某人说'", "''"),
        (
            "INSERT INTO gridsvc.incident_event (community_code, id, incident_id, position, step,"
            " status_before, status_after, at, actor_kind, note, is_public)"
            " VALUES (:street, :row, :row, 2, 'close', 'verified', 'closed', :at, 'account',"
            " '某人说', true)"
        ),
    ),
    "incident": (_INCIDENT,),
}
"""Statements that add one row whose time, as its rule counts, is ``:at``."""


def add(session: Session, table: str, at: datetime) -> None:
    """Add the row of a table, and before it what it refers to."""
    run(session, *INSERTS[table], at=at)


def run(session: Session, *statements: str, **names: object) -> None:
    """Run statements that may name what `NAMES` holds."""
    given = NAMES | names
    for statement in map(text, statements):
        session.execute(statement, {name: given[name] for name in statement.compile().params})
