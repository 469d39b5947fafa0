-- Note what becomes of the staged rows of an import, under which code, and why not. Returns nothing.
UPDATE gridsvc.imported_feature AS staged
SET code = plan.code, parent_code = plan.parent_code, outcome = plan.outcome, reason = plan.reason
FROM unnest(
    :rows ::integer[], :codes ::text[], :parent_codes ::text[], :outcomes ::text[],
    :reasons ::text[]
) AS plan (row, code, parent_code, outcome, reason)
WHERE staged.community_code = :street_code AND staged.import_id = :import_id
  AND staged.row = plan.row
