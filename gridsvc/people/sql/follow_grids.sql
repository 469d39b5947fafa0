-- Let members' homes, exclusions, posts and organisations of one community follow grids that ended
-- into those that took their place: a home into the part that holds the member's point, an
-- exclusion into every part, all else into the one with the largest share. What ended without
-- successor stays named. Returns nothing.
WITH descent AS (
    SELECT predecessor, successor, share
    FROM unnest(:predecessors ::text[], :successors ::text[], :shares ::float8[])
        AS given (predecessor, successor, share)
), heir AS (
    SELECT DISTINCT ON (predecessor) predecessor, successor
    FROM descent ORDER BY predecessor, share DESC, successor
), moved AS (
    UPDATE gridsvc.member SET home_stairwell_code = (
        SELECT descent.successor
        FROM descent JOIN gridsvc.stairwell ON stairwell.code = descent.successor
        WHERE descent.predecessor = member.home_stairwell_code
          AND stairwell.community_code = :community_code
        ORDER BY ST_Covers(stairwell.geom, member.geom) DESC, descent.share DESC, descent.successor
        LIMIT 1
    )
    WHERE community_code = :community_code
      AND home_stairwell_code IN (SELECT predecessor FROM descent)
), moved_building AS (
    UPDATE gridsvc.member SET home_building_code = (
        SELECT descent.successor
        FROM descent JOIN gridsvc.building ON building.code = descent.successor
        WHERE descent.predecessor = member.home_building_code
          AND building.community_code = :community_code
        ORDER BY ST_Covers(building.geom, member.geom) DESC, descent.share DESC, descent.successor
        LIMIT 1
    )
    WHERE community_code = :community_code
      AND home_building_code IN (SELECT predecessor FROM descent)
), excluded AS (
    UPDATE gridsvc.contact_exclusion SET stairwell_code = heir.successor
    FROM heir
    WHERE contact_exclusion.community_code = :community_code
      AND contact_exclusion.stairwell_code = heir.predecessor
), excluded_also AS (
    -- The snapshot still shows the codes before; the heir has the row itself.
    INSERT INTO gridsvc.contact_exclusion
        (community_code, id, member_id, stairwell_code, reason, since, until)
    SELECT one.community_code, gen_random_uuid(), one.member_id, descent.successor, one.reason,
           one.since, one.until
    FROM gridsvc.contact_exclusion one
    JOIN descent ON descent.predecessor = one.stairwell_code
    JOIN heir ON heir.predecessor = one.stairwell_code AND heir.successor <> descent.successor
    WHERE one.community_code = :community_code
), posted AS (
    UPDATE gridsvc.post SET
        building_code = coalesce(
            (SELECT successor FROM heir WHERE predecessor = post.building_code), building_code),
        compound_code = coalesce(
            (SELECT successor FROM heir WHERE predecessor = post.compound_code), compound_code)
    WHERE community_code = :community_code
      AND (building_code IN (SELECT predecessor FROM heir)
           OR compound_code IN (SELECT predecessor FROM heir))
)
UPDATE gridsvc.organisation SET compound_code = heir.successor
FROM heir
WHERE organisation.community_code = :community_code
  AND organisation.compound_code = heir.predecessor
