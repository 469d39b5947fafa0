"""A city of 1,000 communities in the real schema, and as many incidents as asked.

Ten sub-districts of ten by ten communities, each about 510 × 500 m, cover 25.6 × 10 km. A community
has four compounds of two buildings of four stairwells. Half of the incidents are spread evenly over
the communities, half gather in the middle of the city; inside a community some stairwells have far
more than others. Rows lie on disk as they were reported, communities mixed, as in a year of use.
"""

# ruff: noqa: S608 - numbers and words of our own

from sqlalchemy import text

from gridsvc.db import Interval
from gridsvc.incidents import service as incidents
from tests.databases import Clone
from tests.town import job_session

STREETS = tuple(440605000000 + 1000 * number for number in range(1, 11))
COMMUNITIES = tuple(street + number for street in STREETS for number in range(1, 101))
WHOLE_CITY = (Interval(STREETS[0], STREETS[-1] + 999),)
"""All communities as one interval; `FOUR_PARTS` is the same in as many as a scope may have."""

FOUR_PARTS = tuple(
    Interval(STREETS[first], STREETS[last] + 999)
    for first, last in ((0, 1), (2, 4), (5, 7), (8, 9))
)

WEST, SOUTH = 112.95, 22.95
WIDTH, HEIGHT = 0.005, 0.0045
"""Degrees that a community takes; the city is 50 of them wide and 20 high."""

_OUTLINES = (
    """
    INSERT INTO gridsvc.street (code, name)
    SELECT 440605000000 + 1000 * s, '第' || s || '街道' FROM generate_series(1, 10) s
    """,
    f"""
    INSERT INTO gridsvc.community (code, street_code, name, geom)
    SELECT street + n, street, '第' || n || '社区',
           ST_Multi(ST_MakeEnvelope(x, y, x + {WIDTH}, y + {HEIGHT}, 4326))
    FROM generate_series(0, 9) s, generate_series(1, 100) n,
    LATERAL (SELECT 440605001000 + 1000 * s AS street,
        {WEST} + {WIDTH} * (s % 5 * 10 + (n - 1) % 10) AS x,
        {SOUTH} + {HEIGHT} * (s / 5 * 10 + (n - 1) / 10) AS y) corner
    """,
    f"""
    INSERT INTO gridsvc.compound (community_code, code, name, geom)
    SELECT c.code, c.code || lpad(k::text, 3, '0'), '第' || k || '苑',
           ST_Multi(ST_MakeEnvelope(x, y, x + 0.44 * {WIDTH}, y + 0.44 * {HEIGHT}, 4326))
    FROM gridsvc.community c, generate_series(1, 4) k,
    LATERAL (SELECT ST_XMin(c.geom) + {WIDTH} * (0.03 + 0.5 * ((k - 1) % 2)) AS x,
        ST_YMin(c.geom) + {HEIGHT} * (0.03 + 0.5 * ((k - 1) / 2)) AS y) corner
    """,
    f"""
    INSERT INTO gridsvc.building (community_code, compound_code, code, name, kind, levels, geom)
    SELECT c.community_code, c.code, c.code || lpad(b::text, 3, '0'), b || '栋', 'slab', 8,
           ST_MakeEnvelope(x, y, x + 0.4 * {WIDTH}, y + 0.04 * {HEIGHT}, 4326)
    FROM gridsvc.compound c, generate_series(1, 2) b,
    LATERAL (SELECT ST_XMin(c.geom) + 0.02 * {WIDTH} AS x,
        ST_YMin(c.geom) + {HEIGHT} * (0.2 * b - 0.1) AS y) corner
    """,
    f"""
    INSERT INTO gridsvc.stairwell
        (community_code, compound_code, building_code, code, name, household_count, geom)
    SELECT b.community_code, b.compound_code, b.code, b.code || lpad(t::text, 2, '0'), t || '梯',
           16 + t, ST_MakeEnvelope(x, ST_YMin(b.geom), x + 0.1 * {WIDTH}, ST_YMax(b.geom), 4326)
    FROM gridsvc.building b, generate_series(1, 4) t,
    LATERAL (SELECT ST_XMin(b.geom) + 0.1 * {WIDTH} * (t - 1) AS x) corner
    """,
)

# Sums of random numbers gather in the middle of the city; squares gather in the first stairwells.
_INCIDENTS = """
    INSERT INTO gridsvc.incident (community_code, id, category_code, status, reported_at, closed_at,
        summary, place, compound_code, stairwell_code, geom)
    SELECT s.community_code,
        (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
            || left(md5(n::text), 3) || '8' || substr(md5(n::text), 4, 15))::uuid,
        codes[1 + floor(category * cardinality(codes))::int],
        CASE WHEN is_closed THEN 'closed' ELSE 'assigned' END, at,
        CASE WHEN is_closed THEN at + interval '3 days' END,
        '第' || n || '件：楼道里有杂物，请安排人员前来查看并处理', place,
        CASE WHEN place <> 'community' THEN s.compound_code END,
        CASE WHEN place = 'stairwell' THEN s.code END,
        ST_SetSRID(ST_MakePoint(ST_XMin(s.geom) + in_x * (ST_XMax(s.geom) - ST_XMin(s.geom)),
            ST_YMin(s.geom) + in_y * (ST_YMax(s.geom) - ST_YMin(s.geom))), 4326)
    FROM (
        SELECT n, timestamptz '2026-01-01' + n * (interval '300 days' / :incidents ::int) AS at,
            random() < 0.9 AS is_closed, random() AS in_x, random() AS in_y,
            random() ^ 2 AS category, floor(random() ^ 2 * 32)::int AS stairwell,
            (ARRAY['stairwell', 'stairwell', 'stairwell', 'compound', 'community'])
                [1 + floor(random() * 5)::int] AS place,
            floor(50 * CASE n & 1 WHEN 0 THEN random()
                ELSE (random() + random() + random()) / 3 END)::int AS x,
            floor(20 * CASE n & 1 WHEN 0 THEN random()
                ELSE (random() + random() + random()) / 3 END)::int AS y
        FROM generate_series(1, :incidents ::int) n
    ) drawn
    CROSS JOIN (
        SELECT array_agg(code ORDER BY position) AS codes FROM gridsvc.category
        WHERE parent_code IS NOT NULL
    ) category
    JOIN (
        SELECT *, row_number() OVER (ORDER BY code) - 1 AS position FROM gridsvc.stairwell
    ) s ON s.position
        = 32 * (100 * (y / 10 * 5 + x / 10) + y % 10 * 10 + x % 10) + stairwell
    ORDER BY n
"""

_FOR_LOADING = (
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL maintenance_work_mem = '256MB'",
    "SELECT setseed(0.5)",
)
_INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'gridsvc' AND tablename = 'incident' AND indexname <> 'incident_pkey'
"""


def make_city(clone: Clone, *, incidents_count: int) -> None:
    """Fill a database that was set up and is empty; the same seed each time.

    Indexes of the incidents are made anew after the rows, which takes a third of the time.
    """
    with job_session(clone.job) as session, session.begin():
        incidents.apply_catalogue(session)
    with clone.root.begin() as connection:
        for statement in (*_FOR_LOADING, *_OUTLINES, "ANALYZE gridsvc.stairwell"):
            connection.execute(text(statement))
        indexes = connection.execute(text(_INDEXES)).all()
        for name, _ in indexes:
            connection.execute(text(f"DROP INDEX gridsvc.{name}"))
        connection.execute(text(_INCIDENTS), {"incidents": incidents_count})
        for _, definition in indexes:
            connection.execute(text(definition))
    _vacuum(clone)


def _vacuum(clone: Clone) -> None:
    """Do what autovacuum does in use: count rows, and note which pages all may see."""
    engine = clone.root.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
