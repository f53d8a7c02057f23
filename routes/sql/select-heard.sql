-- Comments that clients subscribe to, in the order in which they were accepted. Their ids are one JSON array.
SELECT id, post_id, (extract(epoch FROM created_at) * 1000000)::bigint AS written, comment, erased_at IS NOT NULL AS erased
FROM comments_as_json
WHERE id IN (SELECT value::uuid FROM json_array_elements_text(:?ids::text::json))
ORDER BY accepted_at, id
