-- Comments on a post that were written since a time, newest first, from its latest 1,000. The index is sorted by accepted_at, so
-- comments that took longer than 10 minutes from there to the table are not found.
SELECT (extract(epoch FROM created_at) * 1000000)::bigint AS written, comment
FROM (
  SELECT id, accepted_at, created_at, comment
  FROM comments_as_json
  WHERE hashtextextended(post_id, 0) = hashtextextended(:?postId, 0) AND post_id = :?postId
    AND accepted_at >= :?since::timestamptz - interval '10 minutes'
  ORDER BY accepted_at DESC, id DESC
  LIMIT 1000
) AS latest
WHERE created_at >= :?since::timestamptz
ORDER BY accepted_at DESC, id DESC
LIMIT :?limit
