-- The columns of each view of the schema planner that gridsvc_catalog may read, in their order:
-- view, comment of the view, column, type as tipg names it, geometry type and SRID where it is one.
SELECT c.relname AS view,
       obj_description(c.oid, 'pg_class') AS description,
       a.attname AS name,
       CASE t.typname
           WHEN 'int2' THEN 'smallint' WHEN 'int4' THEN 'integer' WHEN 'int8' THEN 'bigint'
           WHEN 'bool' THEN 'boolean' WHEN 'varchar' THEN 'text'
           ELSE t.typname
       END AS type,
       CASE WHEN t.typname = 'geometry' THEN postgis_typmod_type(a.atttypmod) END AS geometry_type,
       CASE WHEN t.typname = 'geometry' THEN postgis_typmod_srid(a.atttypmod) END AS srid
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relnamespace = 'planner'::regnamespace
  AND c.relkind = 'v'
  AND has_table_privilege('gridsvc_catalog', c.oid, 'SELECT')
ORDER BY c.relname, a.attnum
