-- Stage rows of a file. Returns nothing.
INSERT INTO gridsvc.imported_feature (
    community_code, import_id, row, code, parent_code, fields, geom, reason, reason_zh
)
SELECT :street_code, :import_id, row, code, parent_code, fields::jsonb,
       ST_GeomFromEWKB(shape), reason, reason_zh
FROM unnest(
    :rows ::integer[], :codes ::text[], :parent_codes ::text[], :fields ::text[],
    :shapes ::bytea[], :reasons ::text[], :reasons_zh ::text[]
) AS given (row, code, parent_code, fields, shape, reason, reason_zh)
