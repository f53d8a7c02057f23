-- What a client of the stream missed of a post since a time: comments that were written, and comments that were edited or erased, both as they
-- are now, the latest first. An edited comment that was written since then is in both: a client that has it ignores the first.
-- The comments are from the post's latest 1,000. Their index is sorted by accepted_at, so comments that took longer than 10 minutes from there
-- to the table are not found.
SELECT (extract(epoch FROM created_at) * 1000000)::bigint AS written, comment, erased_at IS NOT NULL AS erased, changed
FROM (
    SELECT latest.*, created_at AS happened_at, false AS changed
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
    -- an erased one is among the changes
    WHERE created_at >= :?since::timestamptz AND erased_at IS NULL
    UNION ALL
    SELECT id, accepted_at, created_at, comment, erased_at, changed_at, true
    FROM (
        SELECT id, changed_at
        FROM comments
        WHERE post_id COLLATE "C" = :?postId AND changed_at >= :?since::timestamptz
        ORDER BY changed_at DESC
        LIMIT :?limit
    ) AS change JOIN comments_as_json USING (id)
) AS missed
ORDER BY happened_at DESC, changed DESC, accepted_at DESC, id DESC
LIMIT :?limit
