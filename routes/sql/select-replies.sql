-- A page of the replies to a comment, newest first, after a cursor: up to one comment more than the limit, which tells that there is a next page.
-- A text that is larger than a comment's share of the page is left out: then select-large-replies.sql reads the page. The
-- periods come newest first, and PostgreSQL joins one after the other, so it reads no period after the page is full, and sorts no page.
SELECT id, CASE WHEN octet_length(post_id) <= :?share THEN post_id END AS post_id,
       CASE WHEN octet_length(user_id) <= :?share THEN user_id END AS user_id,
       CASE WHEN octet_length(user_name) <= :?share THEN user_name END AS user_name,
       CASE WHEN octet_length(content) <= :?share THEN content END AS content,
       parent_id, accepted_at, created_at, edited_at, erased_at
FROM comment_periods AS period CROSS JOIN LATERAL (
    SELECT * FROM comments
    WHERE date_bin('28 days', accepted_at, '2000-01-03Z') = period.start AND parent_id = :?parentId
      AND (accepted_at, id) < (:?acceptedAt, :?id)
    ORDER BY accepted_at DESC, id DESC
    LIMIT :?limit + 1
) AS comment
WHERE period.start <= :?acceptedAt
LIMIT :?limit + 1
