-- Comments on a post that were written since a time, newest first, from its latest 1,000. The index is sorted by accepted_at, so
-- comments that took longer than 10 minutes from there to the table are not found.
SELECT (extract(epoch FROM created_at) * 1000000)::bigint AS written, comment, erased_at IS NOT NULL AS erased
FROM (
    SELECT found.*
    FROM comment_periods AS period CROSS JOIN LATERAL (
        SELECT id, accepted_at, created_at, comment, erased_at
        FROM comments_as_json
        WHERE date_bin('28 days', accepted_at, '2000-01-03Z') = period.start AND post_id COLLATE "C" = :?postId
          AND accepted_at >= :?since::timestamptz - interval '10 minutes'
        ORDER BY accepted_at DESC, id DESC
        LIMIT 1000
    ) AS found
    WHERE period.start >= date_bin('28 days', :?since::timestamptz - interval '10 minutes', '2000-01-03Z')
    LIMIT 1000
) AS latest
WHERE created_at >= :?since::timestamptz
ORDER BY accepted_at DESC, id DESC
LIMIT :?limit
