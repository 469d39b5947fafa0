-- Note of staged rows of an import that do not go in under which code they would, and why not.
-- Returns nothing.
UPDATE gridsvc.imported_feature AS staged
SET code = plan.code, outcome = plan.outcome, reason = plan.reason, reason_zh = plan.reason_zh
FROM unnest(
    :rows ::integer[], :codes ::text[], :outcomes ::text[], :reasons ::text[], :reasons_zh ::text[]
) AS plan (row, code, outcome, reason, reason_zh)
WHERE staged.community_code = :street_code AND staged.import_id = :import_id
  AND staged.row = plan.row
