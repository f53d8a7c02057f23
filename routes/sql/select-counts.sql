-- How many comments each of several posts has, up to one more than the limit. Each comment is an entry of the index, and no row is read
-- where VACUUM has been. The periods come newest first; each is found once, when the first post needs it.
WITH period AS MATERIALIZED (SELECT start FROM comment_periods)
SELECT post_id, (
    SELECT count(*) FROM (
        SELECT FROM period CROSS JOIN LATERAL (
            SELECT FROM comments
            WHERE date_bin('28 days', accepted_at, '2000-01-03Z') = period.start AND post_id COLLATE "C" = asked.post_id
            ORDER BY accepted_at DESC
            LIMIT :?limit + 1
        ) AS comment
        LIMIT :?limit + 1
    ) AS counted
) AS comments
FROM unnest(:?postIds::text[]) WITH ORDINALITY AS asked (post_id, place)
ORDER BY place
