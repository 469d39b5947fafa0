-- Add incidents, find where each fell, and count them in the heat cells; what is there stays.
-- Returns id, community_code and place of those added.
WITH given AS (
    SELECT id, category_code, status, reported_at, closed_at, summary, owner_code,
           ST_SetSRID(ST_MakePoint(lon, lat), 4326) AS geom
    FROM unnest(
        :ids ::uuid[], :category_codes ::text[], :statuses ::text[], :reported_ats ::timestamptz[],
        :closed_ats ::timestamptz[], :summaries ::text[], :lons ::float8[], :lats ::float8[],
        :owner_codes ::bigint[]
    ) AS incident (
        id, category_code, status, reported_at, closed_at, summary, lon, lat, owner_code
    )
), located AS (
    -- Whose it is: as somebody decided, else where it fell, else nobody's in particular.
    SELECT given.*,
           coalesce(given.owner_code, community.code, :outside_code) AS community_code
    FROM given
    LEFT JOIN LATERAL (
        SELECT c.code FROM gridsvc.community c
        WHERE c.geom && given.geom AND ST_Covers(c.geom, given.geom)
        ORDER BY c.code LIMIT 1
    ) community ON true
), placed AS (
    SELECT located.*, stairwell.code AS stairwell_code,
           coalesce(stairwell.compound_code, compound.code) AS compound_code,
           nearest.code AS nearest_stairwell_code
    FROM located
    LEFT JOIN LATERAL (
        SELECT s.code, s.compound_code FROM gridsvc.stairwell s
        WHERE s.community_code = located.community_code AND s.retired_on IS NULL
          AND s.geom && located.geom AND ST_Covers(s.geom, located.geom)
        ORDER BY s.code LIMIT 1
    ) stairwell ON true
    LEFT JOIN LATERAL (
        SELECT c.code FROM gridsvc.compound c
        WHERE c.community_code = located.community_code AND c.retired_on IS NULL
          AND c.geom && located.geom AND ST_Covers(c.geom, located.geom)
        ORDER BY c.code LIMIT 1
    ) compound ON true
    LEFT JOIN LATERAL (
        -- Outdoors: the nearest of the compound's, degrees of longitude shrunk to those of latitude.
        SELECT s.code FROM gridsvc.stairwell s
        WHERE stairwell.code IS NULL AND s.community_code = located.community_code
          AND s.compound_code = compound.code AND s.retired_on IS NULL
        ORDER BY ST_Distance(ST_Scale(s.geom, cos(radians(ST_Y(located.geom))), 1),
                             ST_Scale(located.geom, cos(radians(ST_Y(located.geom))), 1)), s.code
        LIMIT 1
    ) nearest ON true
), added AS (
    INSERT INTO gridsvc.incident (
        community_code, id, category_code, status, reported_at, closed_at, summary,
        place, stairwell_code, compound_code, is_flagged, is_public, geom, nearest_stairwell_code
    )
    SELECT community_code, id, category_code, status, reported_at, closed_at, summary,
           CASE WHEN stairwell_code IS NOT NULL THEN 'stairwell'
                WHEN compound_code IS NOT NULL THEN 'compound'
                WHEN community_code % 1000 > 0 THEN 'community'
                ELSE 'outside' END,
           stairwell_code, compound_code, community_code % 1000 = 0,
           (SELECT is_public FROM gridsvc.category WHERE code = category_code), geom,
           nearest_stairwell_code
    FROM placed
    ON CONFLICT (community_code, id) DO NOTHING
    RETURNING community_code, id, place, category_code, reported_at, cell_x, cell_y
), counted AS (
    INSERT INTO gridsvc.heat_cell AS cell
        (community_code, cell_x, cell_y, month, class_code, incident_count)
    SELECT community_code, cell_x, cell_y,
           date_trunc('month', reported_at AT TIME ZONE 'Asia/Shanghai')::date,
           split_part(category_code, '.', 1), count(*)
    FROM added
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5  -- one order for all writers: no deadlock on shared cells
    ON CONFLICT (community_code, cell_x, cell_y, month, class_code)
    DO UPDATE SET incident_count = cell.incident_count + excluded.incident_count
)
SELECT id, community_code, place FROM added
