-- Comments that somebody listens for, with their ids as one JSON array, in the order in which they were accepted.
SELECT id, post_id, (extract(epoch FROM created_at) * 1000000)::bigint AS written, comment
FROM comments_as_json
WHERE id IN (SELECT value::uuid FROM json_array_elements_text(:?ids::json))
ORDER BY accepted_at, id
