-- Inserts one batch with one statement: all its comments are one JSON array. A redelivered message inserts no second row.
-- A message of another producer may have no id and no time. Then the id is a hash of the comment, so that a redelivery has the
-- same id. A comment of a user whose erasure was accepted later is erased as it comes, and told of as a change: only the times are
-- compared, unless such an erasure is younger than the comment. It is not counted, like one that was not inserted: so
-- quarantine-differing.sql finds it, and it is not notified of.
WITH comment AS MATERIALIZED (
    SELECT coalesce(id, md5(concat_ws(E'\n', "postId", "userId", "userName", "parentId", content))::uuid) AS id,
           "postId", "userId", "userName", content, "parentId", coalesce("acceptedAt", now()) AS accepted_at,
           CASE WHEN "acceptedAt" <= (SELECT max(accepted_at) FROM user_erasures) THEN (
               SELECT accepted_at FROM user_erasures WHERE user_hash = sha256(convert_to("userId", 'UTF8')) AND accepted_at >= "acceptedAt"
           ) END AS erased_at
    FROM json_to_recordset(:?batch::json) AS comment
         (id uuid, "postId" text, "userId" text, "userName" text, content text, "parentId" uuid, "acceptedAt" timestamptz)
), erased AS (
    INSERT INTO comments (id, post_id, user_id, user_name, content, parent_id, accepted_at, erased_at)
    -- left() leaves NULL, which is refused
    SELECT id, "postId", '', left("userName", 0), left(content, 0), "parentId", accepted_at, erased_at
    FROM comment WHERE erased_at IS NOT NULL
    ON CONFLICT (id) DO NOTHING
    RETURNING id, erased_at
), told AS (
    INSERT INTO comment_changes_waiting (id, kind, accepted_at)
    -- in the order of apply-changes.sql
    SELECT id, 'erase', erased_at FROM erased ORDER BY id
    ON CONFLICT DO NOTHING
)
INSERT INTO comments (id, post_id, user_id, user_name, content, parent_id, accepted_at)
SELECT id, "postId", "userId", "userName", content, "parentId", accepted_at
FROM comment WHERE erased_at IS NULL
ON CONFLICT (id) DO NOTHING
