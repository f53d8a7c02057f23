-- One batch, one statement: all comments arrive as one JSON array. A message that is delivered again finds its rows there.
-- A foreign producer may leave out the id and the time: then the comment itself gives the id, so that delivering it again
-- gives the same row.
INSERT INTO comments (id, post_id, user_id, user_name, content, parent_id, accepted_at)
SELECT coalesce(id, md5(concat_ws(E'\n', "postId", "userId", "userName", "parentId", content))::uuid),
       "postId", "userId", "userName", content, "parentId", coalesce("acceptedAt", now())
FROM json_to_recordset(:?comments::json) AS comment
     (id uuid, "postId" text, "userId" text, "userName" text, content text, "parentId" uuid, "acceptedAt" timestamptz)
ON CONFLICT (id) DO NOTHING
