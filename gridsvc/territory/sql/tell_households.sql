-- Decide how many households others than staff are told of, in some communities.
-- The rule is that of geodata.privacy: a count of 1 to k - 1 is withheld, and with it the smallest
-- (and its equals) of those that could have been told: among the stairwells of a compound, and
-- among the compounds of a community. The total of a compound is withheld too where it would tell
-- that none of its stairwells can hold k. Returns nothing.
WITH stairwell AS (
    SELECT community_code, compound_code, code, household_count, told_household_count
    FROM gridsvc.stairwell
    WHERE community_code = ANY (:community_codes ::bigint[]) AND retired_on IS NULL
), told_stairwell AS (
    SELECT community_code, code, told_household_count,
           CASE WHEN household_count BETWEEN 1 AND :k - 1 THEN NULL
                WHEN any_small AND household_count = smallest THEN NULL
                ELSE household_count END AS told
    FROM (
        SELECT *, bool_or(household_count BETWEEN 1 AND :k - 1) OVER compound AS any_small,
               min(household_count) FILTER (WHERE household_count >= :k) OVER compound AS smallest
        FROM stairwell
        WINDOW compound AS (PARTITION BY community_code, compound_code)
    ) beside
), told_compound AS (
    SELECT community_code, code, told_household_count,
           CASE WHEN is_small THEN NULL
                WHEN any_small AND household_count = smallest THEN NULL
                ELSE household_count END AS told
    FROM (
        SELECT *, bool_or(is_small) OVER community AS any_small,
               min(household_count) FILTER (WHERE household_count > 0 AND NOT is_small)
                   OVER community AS smallest
        FROM (
            SELECT compound.community_code, compound.code, compound.told_household_count,
                   coalesce(sum(stairwell.household_count), 0) AS household_count,
                   coalesce(sum(stairwell.household_count) > 0
                            AND sum(stairwell.household_count) < :k - 1
                                + count(*) FILTER (WHERE stairwell.household_count > 0), false)
                       AS is_small
            FROM gridsvc.compound
            LEFT JOIN stairwell ON stairwell.community_code = compound.community_code
                               AND stairwell.compound_code = compound.code
            WHERE compound.community_code = ANY (:community_codes ::bigint[])
              AND compound.retired_on IS NULL
            GROUP BY compound.community_code, compound.code
        ) total
        WINDOW community AS (PARTITION BY community_code)
    ) beside
), changed AS (
    UPDATE gridsvc.stairwell AS row SET told_household_count = now.told
    FROM told_stairwell now
    WHERE row.community_code = now.community_code AND row.code = now.code
      AND now.told IS DISTINCT FROM now.told_household_count
)
UPDATE gridsvc.compound AS row SET told_household_count = now.told
FROM told_compound now
WHERE row.community_code = now.community_code AND row.code = now.code
  AND now.told IS DISTINCT FROM now.told_household_count
