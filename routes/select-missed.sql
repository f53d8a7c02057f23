-- Comments on a post that were written since a time, newest first. The index knows when they were accepted: those that were on
-- their way for longer than an hour are not found.
SELECT (extract(epoch FROM created_at) * 1000000)::bigint AS written, comment
FROM comments_as_json
WHERE hashtextextended(post_id, 0) = hashtextextended(:?postId, 0) AND post_id = :?postId
  AND accepted_at >= :?since::timestamptz - interval '1 hour' AND created_at >= :?since::timestamptz
ORDER BY created_at DESC, id DESC
LIMIT :?limit
