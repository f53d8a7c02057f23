-- Inserts one batch with one statement: all its comments are one JSON array. A redelivered message inserts no second row.
-- A message of another producer may have no id and no time. Then the id is a hash of the comment, so that a redelivery has the
-- same id. A comment of a user whose erasure was accepted later is erased as it comes, and told of as a change: only the times are
-- compared, unless such an erasure is younger than the comment.
WITH comment AS MATERIALIZED (
    SELECT coalesce(id, md5(concat_ws(E'\n', "postId", "userId", "userName", "parentId", content))::uuid) AS id,
           "postId", "userId", "userName", content, "parentId", coalesce("acceptedAt", now()) AS accepted_at,
           CASE WHEN "acceptedAt" <= (SELECT max(accepted_at) FROM user_erasures) THEN (
               SELECT accepted_at FROM user_erasures WHERE user_hash = sha256(convert_to("userId", 'UTF8')) AND accepted_at >= "acceptedAt"
           ) END AS erased_at
    FROM json_to_recordset(:?batch::json) AS comment
         (id uuid, "postId" text, "userId" text, "userName" text, content text, "parentId" uuid, "acceptedAt" timestamptz)
), erased AS (
    INSERT INTO comment_changes_waiting (id, kind, accepted_at)
    SELECT DISTINCT id, 'erase'::comment_change, erased_at FROM comment
    WHERE erased_at IS NOT NULL AND NOT EXISTS (SELECT FROM comments WHERE comments.id = comment.id)
    -- in the order of apply-changes.sql
    ORDER BY id
    ON CONFLICT DO NOTHING
)
INSERT INTO comments (id, post_id, user_id, user_name, content, parent_id, accepted_at, erased_at)
-- left() leaves NULL, which is refused
SELECT id, "postId", CASE WHEN erased_at IS NULL THEN "userId" ELSE '' END, CASE WHEN erased_at IS NULL THEN "userName" ELSE left("userName", 0) END,
       CASE WHEN erased_at IS NULL THEN content ELSE left(content, 0) END, "parentId", accepted_at, erased_at
FROM comment
ON CONFLICT (id) DO NOTHING
