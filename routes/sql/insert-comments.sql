-- Inserts one batch with one statement: all its comments are one JSON array. A redelivered message inserts no second row.
-- A message of another producer may have no id and no time. Then the id is a hash of the comment, so that a redelivery has the
-- same id.
INSERT INTO comments (id, post_id, user_id, user_name, content, parent_id, accepted_at)
SELECT coalesce(id, md5(concat_ws(E'\n', "postId", "userId", "userName", "parentId", content))::uuid),
       "postId", "userId", "userName", content, "parentId", coalesce("acceptedAt", now())
FROM json_to_recordset(:?batch::json) AS comment
     (id uuid, "postId" text, "userId" text, "userName" text, content text, "parentId" uuid, "acceptedAt" timestamptz)
ON CONFLICT (id) DO NOTHING
