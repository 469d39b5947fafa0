-- Add the stairwells that buildings were cut into. Returns how many.
WITH added AS (
    INSERT INTO gridsvc.stairwell (
        community_code, code, name, valid_from, building_code, compound_code, household_count, geom
    )
    SELECT left(code, 12)::bigint, code, name, :valid_from, left(code, 18), left(code, 15), 0,
           ST_GeomFromEWKB(shape)
    FROM unnest(:codes ::text[], :names ::text[], :shapes ::bytea[]) AS cut (code, name, shape)
    RETURNING 1
)
SELECT count(*) FROM added
