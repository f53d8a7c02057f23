-- A page of the replies to a comment, as select-replies.sql reads it, for any limit and comments of any size: no contents are read behind
-- the comment that reaches the limit of bytes and the next one, which tells of a next page.
SELECT id, post_id, user_id, user_name, content, parent_id, accepted_at, created_at, edited_at, erased_at
FROM (
    SELECT found.*, sum(octet_length(post_id) + octet_length(user_id) + octet_length(user_name) + octet_length(content))
                    OVER (ORDER BY accepted_at DESC, id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING) AS bytes_before
    FROM (
        SELECT comment.*
        FROM comment_periods AS period CROSS JOIN LATERAL (
            SELECT * FROM comments
            WHERE date_bin('28 days', accepted_at, '2000-01-03Z') = period.start AND parent_id = :?parentId
              AND (accepted_at, id) < (:?acceptedAt, :?id)
            ORDER BY accepted_at DESC, id DESC
            LIMIT :?limit + 1
        ) AS comment
        WHERE period.start <= :?acceptedAt
        LIMIT :?limit + 1
    ) AS found
) AS page
WHERE bytes_before IS NULL OR bytes_before < :?bytes
ORDER BY page.accepted_at DESC, page.id DESC
