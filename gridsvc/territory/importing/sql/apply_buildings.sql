-- Put the staged buildings of an import into the territory as planned: new ones are added, those that
-- differ leave what they were among the versions. Returns how many were added and how many changed.
WITH plan AS (
    SELECT row, code, outcome
    FROM unnest(:rows ::integer[], :codes ::text[], :outcomes ::text[]) AS plan (row, code, outcome)
), staged AS (
    SELECT left(plan.code, 12)::bigint AS community_code, plan.code, plan.outcome, geom,
           fields ->> 'name' AS name,
           fields ->> 'kind' AS kind, (fields ->> 'levels')::smallint AS levels
    FROM plan
    JOIN gridsvc.imported_feature feature
      ON feature.community_code = :street_code AND feature.import_id = :import_id
     AND feature.row = plan.row
), kept AS (
    INSERT INTO gridsvc.building_version (
        community_code, code, version, name, valid_from, valid_to, reason,
        compound_code, kind, levels, geom
    )
    SELECT was.community_code, was.code, was.version, was.name, was.valid_from, :valid_from,
           :reason, was.compound_code, was.kind, was.levels, was.geom
    FROM staged
    JOIN gridsvc.building was USING (community_code, code)
    WHERE staged.outcome = 'changed'
), changed AS (
    UPDATE gridsvc.building AS row
    SET name = coalesce(staged.name, row.name), kind = coalesce(staged.kind, row.kind),
        levels = coalesce(staged.levels, row.levels),
        geom = staged.geom, version = row.version + 1, valid_from = :valid_from
    FROM staged
    WHERE row.community_code = staged.community_code AND row.code = staged.code
      AND staged.outcome = 'changed'
    RETURNING 1
), added AS (
    INSERT INTO gridsvc.building (
        community_code, code, name, valid_from, compound_code, kind, levels, geom
    )
    SELECT community_code, code, name, :valid_from, left(code, 15), coalesce(kind, 'other'), levels,
           geom
    FROM staged
    WHERE outcome = 'added'
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM added) AS added, (SELECT count(*) FROM changed) AS changed
