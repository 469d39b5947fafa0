-- Put repaired shapes in the place of those that were staged. Returns nothing.
UPDATE gridsvc.imported_feature AS staged SET geom = ST_GeomFromEWKB(repair.shape)
FROM unnest(:rows ::integer[], :shapes ::bytea[]) AS repair (row, shape)
WHERE staged.community_code = :street_code AND staged.import_id = :import_id
  AND staged.row = repair.row
