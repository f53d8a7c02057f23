-- Compares the comments of one batch, a JSON array, with the rows that have their ids. It follows insert-comments.sql when that inserted
-- fewer rows than the batch has comments, mostly because a message is delivered again: then nothing differs.
-- Returns the places in the batch, from 1, of comments that are not to be notified of: their rows are erased, or those of other comments.
-- Those of the latter are quarantined as they came; redelivered messages insert no second row.
-- An erased row has nothing to compare. The content of an edited row is not that of any message. Only an imported comment brings its time:
-- a comment that is posted again is accepted later.
WITH unwritten AS MATERIALIZED (
    SELECT message.place, message.body, former.id, former.erased_at IS NULL AS differs, comment."userId", comment."acceptedAt"
    FROM json_array_elements(:?batch::json) WITH ORDINALITY AS message (body, place)
    CROSS JOIN LATERAL json_to_record(message.body) AS comment
         (id uuid, "postId" text, "userId" text, "userName" text, content text, "parentId" uuid, "acceptedAt" timestamptz, imported text)
    -- as in insert-comments.sql
    JOIN comments AS former
      ON former.id = coalesce(comment.id, md5(concat_ws(E'\n', "postId", "userId", "userName", "parentId", comment.content))::uuid)
    WHERE former.erased_at IS NOT NULL OR former.post_id <> "postId" OR former.user_id <> "userId" OR former.user_name <> "userName"
       OR former.parent_id IS DISTINCT FROM "parentId"
       OR former.edited_at IS NULL AND former.content <> comment.content
       OR imported = 'true' AND former.accepted_at <> "acceptedAt"
), quarantined AS (
    INSERT INTO comment_quarantine (body, sqlstate, reason)
    SELECT convert_to(body::text, 'UTF8'), '23505', 'another comment has the id ' || id || ', with other contents'
    FROM unwritten
    WHERE differs
      -- as in quarantine-comments.sql: a user whose comments were erased is not kept
      AND NOT EXISTS (SELECT FROM user_erasures
                      WHERE user_hash = sha256(convert_to("userId", 'UTF8')) AND user_erasures.accepted_at >= "acceptedAt")
    ON CONFLICT (id) DO NOTHING
    RETURNING 1
)
SELECT place, (SELECT count(*) FROM quarantined) AS quarantined FROM unwritten
