-- One comment.
SELECT id, post_id, user_id, user_name, content, parent_id, accepted_at, created_at, edited_at, erased_at
FROM comments
WHERE id = :?id
