-- Comments that somebody listens for, with their ids as one JSON array, in the order in which they were accepted.
SELECT id, post_id, (extract(epoch FROM created_at) * 1000000)::bigint AS written,
       json_strip_nulls(json_build_object(
           'id', id, 'postId', post_id, 'userId', user_id, 'userName', user_name, 'content', content, 'parentId', parent_id,
           'acceptedAt', to_char(accepted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
           'createdAt', to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))::text AS comment
FROM comments
WHERE id IN (SELECT value::uuid FROM json_array_elements_text(:?ids::json))
ORDER BY accepted_at, id
