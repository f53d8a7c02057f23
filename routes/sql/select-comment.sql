-- One comment.
SELECT id, post_id, user_id, user_name, content, parent_id, timestamptz_send(accepted_at) AS accepted_at, timestamptz_send(created_at) AS created_at
FROM comments
WHERE id = :?id
