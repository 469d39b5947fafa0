-- Put the staged compounds of an import into the territory as planned: new ones are added, those that
-- differ leave what they were among the versions. Returns how many were added and how many changed.
WITH plan AS (
    SELECT row, code, outcome
    FROM unnest(:rows ::integer[], :codes ::text[], :outcomes ::text[]) AS plan (row, code, outcome)
), staged AS (
    SELECT left(plan.code, 12)::bigint AS community_code, plan.code, plan.outcome, geom,
           fields ->> 'name' AS name,
           (fields ->> 'built_year')::smallint AS built_year,
           (fields ->> 'is_demonstration')::boolean AS is_demonstration
    FROM plan
    JOIN gridsvc.imported_feature feature
      ON feature.community_code = :street_code AND feature.import_id = :import_id
     AND feature.row = plan.row
), kept AS (
    INSERT INTO gridsvc.compound_version (
        community_code, code, version, name, valid_from, valid_to, reason,
        built_year, is_demonstration, told_household_count, geom
    )
    SELECT was.community_code, was.code, was.version, was.name, was.valid_from, :valid_from,
           :reason, was.built_year, was.is_demonstration, was.told_household_count, was.geom
    FROM staged
    JOIN gridsvc.compound was USING (community_code, code)
    WHERE staged.outcome = 'changed'
), changed AS (
    UPDATE gridsvc.compound AS row
    SET name = coalesce(staged.name, row.name),
        built_year = coalesce(staged.built_year, row.built_year),
        is_demonstration = coalesce(staged.is_demonstration, row.is_demonstration),
        geom = staged.geom, version = row.version + 1, valid_from = :valid_from
    FROM staged
    WHERE row.community_code = staged.community_code AND row.code = staged.code
      AND staged.outcome = 'changed'
    RETURNING 1
), added AS (
    INSERT INTO gridsvc.compound (
        community_code, code, name, valid_from, built_year, is_demonstration, geom
    )
    SELECT community_code, code, name, :valid_from, built_year, coalesce(is_demonstration, false),
           geom
    FROM staged
    WHERE outcome = 'added'
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM added) AS added, (SELECT count(*) FROM changed) AS changed
