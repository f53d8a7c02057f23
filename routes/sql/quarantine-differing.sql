-- Keeps the comments of one batch, a JSON array, whose ids are those of other comments, as they came. It follows insert-comments.sql when
-- that inserted fewer rows than the batch has comments, mostly because a message is delivered again: then nothing differs.
-- An erased row has nothing to compare. The content of an edited row is not that of any message. Only an imported comment brings its time:
-- a comment that is posted again is accepted later. Redelivered messages insert no second row.
INSERT INTO comment_quarantine (body, sqlstate, reason)
SELECT convert_to(message.body::text, 'UTF8'), '23505', 'another comment has the id ' || former.id || ', with other contents'
FROM json_array_elements(:?batch::json) AS message (body)
CROSS JOIN LATERAL json_to_record(message.body) AS comment
     (id uuid, "postId" text, "userId" text, "userName" text, content text, "parentId" uuid, "acceptedAt" timestamptz, imported text)
JOIN comments AS former ON former.id = comment.id
WHERE former.erased_at IS NULL
  AND (former.post_id <> "postId" OR former.user_id <> "userId" OR former.user_name <> "userName"
    OR former.parent_id IS DISTINCT FROM "parentId"
    OR former.edited_at IS NULL AND former.content <> comment.content
    OR imported = 'true' AND former.accepted_at <> "acceptedAt")
  -- as in quarantine-comments.sql: a user whose comments were erased is not kept
  AND NOT EXISTS (SELECT FROM user_erasures WHERE user_hash = sha256(convert_to("userId", 'UTF8')) AND user_erasures.accepted_at >= "acceptedAt")
ON CONFLICT (id) DO NOTHING
