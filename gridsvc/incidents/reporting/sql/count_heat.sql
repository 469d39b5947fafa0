-- Count one incident in the heat cells, as add_incidents.sql does; returns nothing.
INSERT INTO gridsvc.heat_cell AS cell
    (community_code, cell_x, cell_y, month, class_code, incident_count)
SELECT community_code, cell_x, cell_y,
       date_trunc('month', reported_at AT TIME ZONE 'Asia/Shanghai')::date,
       split_part(category_code, '.', 1), 1
FROM gridsvc.incident
WHERE community_code = :community_code AND id = :id
ON CONFLICT (community_code, cell_x, cell_y, month, class_code)
DO UPDATE SET incident_count = cell.incident_count + excluded.incident_count
