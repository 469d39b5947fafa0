-- Write the households of stairwells; a count that differs leaves what it was among the versions.
-- Returns how many stairwells changed.
WITH counted AS (
    SELECT left(code, 12)::bigint AS community_code, code, household_count
    FROM unnest(:codes ::text[], :counts ::integer[]) AS counted (code, household_count)
), kept AS (
    INSERT INTO gridsvc.stairwell_version (
        community_code, code, version, name, valid_from, valid_to, reason,
        building_code, compound_code, household_count, told_household_count, geom
    )
    SELECT was.community_code, was.code, was.version, was.name, was.valid_from, :valid_from,
           :reason, was.building_code, was.compound_code, was.household_count,
           was.told_household_count, was.geom
    FROM counted
    JOIN gridsvc.stairwell was USING (community_code, code)
), changed AS (
    UPDATE gridsvc.stairwell AS row
    SET household_count = counted.household_count, version = row.version + 1,
        valid_from = :valid_from
    FROM counted
    WHERE row.community_code = counted.community_code AND row.code = counted.code
    RETURNING 1
)
SELECT count(*) FROM changed
