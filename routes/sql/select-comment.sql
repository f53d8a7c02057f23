-- One comment.
SELECT id, post_id, user_id, user_name, content, parent_id, timestamptz_send(accepted_at) AS accepted_at, timestamptz_send(created_at) AS created_at,
       timestamptz_send(edited_at) AS edited_at, timestamptz_send(erased_at) AS erased_at
FROM comments
WHERE id = :?id
