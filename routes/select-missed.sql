-- Comments on a post that were written since a time, newest first. The index knows when they were accepted: those that were on
-- their way for longer than an hour are not found.
SELECT (extract(epoch FROM created_at) * 1000000)::bigint AS written,
       json_strip_nulls(json_build_object(
           'id', id, 'postId', post_id, 'userId', user_id, 'userName', user_name, 'content', content, 'parentId', parent_id,
           'acceptedAt', to_char(accepted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
           'createdAt', to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))::text AS comment
FROM comments
WHERE post_id = :?postId AND created_at >= :?since::timestamptz AND accepted_at >= :?since::timestamptz - interval '1 hour'
ORDER BY created_at DESC, id DESC
LIMIT :?limit
