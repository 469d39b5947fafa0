-- Put the staged stairwells of an import into the territory as planned: new ones are added, those that
-- differ leave what they were among the versions. Returns how many were added and how many changed.
WITH plan AS (
    SELECT row, code, outcome
    FROM unnest(:rows ::integer[], :codes ::text[], :outcomes ::text[]) AS plan (row, code, outcome)
), staged AS (
    SELECT left(plan.code, 12)::bigint AS community_code, plan.code, plan.outcome, geom,
           fields ->> 'name' AS name,
           (fields ->> 'household_count')::integer AS household_count
    FROM plan
    JOIN gridsvc.imported_feature feature
      ON feature.community_code = :street_code AND feature.import_id = :import_id
     AND feature.row = plan.row
), kept AS (
    INSERT INTO gridsvc.stairwell_version (
        community_code, code, version, name, valid_from, valid_to, reason,
        building_code, compound_code, household_count, told_household_count, geom
    )
    SELECT was.community_code, was.code, was.version, was.name, was.valid_from, :valid_from,
           :reason, was.building_code, was.compound_code, was.household_count,
           was.told_household_count, was.geom
    FROM staged
    JOIN gridsvc.stairwell was USING (community_code, code)
    WHERE staged.outcome = 'changed'
), changed AS (
    UPDATE gridsvc.stairwell AS row
    SET name = coalesce(staged.name, row.name),
        household_count = coalesce(staged.household_count, row.household_count),
        geom = staged.geom, version = row.version + 1, valid_from = :valid_from
    FROM staged
    WHERE row.community_code = staged.community_code AND row.code = staged.code
      AND staged.outcome = 'changed'
    RETURNING 1
), added AS (
    INSERT INTO gridsvc.stairwell (
        community_code, code, name, valid_from, building_code, compound_code, household_count, geom
    )
    SELECT community_code, code, name, :valid_from, left(code, 18), left(code, 15),
           coalesce(household_count, 0), geom
    FROM staged
    WHERE outcome = 'added'
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM added) AS added, (SELECT count(*) FROM changed) AS changed
