-- A page of the comments of a post, newest first, after a cursor: up to one comment more than the limit, which tells that there is a next page. Behind the
-- comment that reaches the limit of bytes, no contents are read. The periods come newest first, and PostgreSQL joins one after the
-- other, so it reads no period after the page is full.
SELECT id, post_id, user_id, user_name, content, parent_id, timestamptz_send(accepted_at) AS accepted_at, timestamptz_send(created_at) AS created_at,
       timestamptz_send(edited_at) AS edited_at, timestamptz_send(erased_at) AS erased_at
FROM (
    SELECT found.*, sum(octet_length(post_id) + octet_length(user_id) + octet_length(user_name) + octet_length(content))
                    OVER (ORDER BY accepted_at DESC, id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
    FROM (
        SELECT comment.*
        FROM comment_periods AS period CROSS JOIN LATERAL (
            SELECT * FROM comments
            WHERE date_bin('28 days', accepted_at, '2000-01-03Z') = period.start AND post_id COLLATE "C" = :?postId
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
