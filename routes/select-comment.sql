-- One comment, as JSON in UTF-8; its times are written as comment-service writes them.
SELECT convert_to(json_strip_nulls(json_build_object(
           'id', id, 'postId', post_id, 'userId', user_id, 'userName', user_name, 'content', content, 'parentId', parent_id,
           'acceptedAt', to_char(accepted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
           'createdAt', to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))::text, 'UTF8')
FROM comments
WHERE id = :?id
