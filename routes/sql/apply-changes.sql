-- Applies one batch of changes with one statement: all of them are one JSON array. Of the changes of one comment, an erasure wins, else the
-- edit that was accepted last, whatever the order in which batches are written. A redelivered message has the same effect once more. A
-- change whose comment is not there waits for it.
-- What it sets in a comment is also in apply-waiting-changes.sql: change both.
WITH change AS (
    SELECT DISTINCT ON (id) id, kind, content, accepted_at
    FROM (
        SELECT id, content, "acceptedAt" AS accepted_at,
               -- what is no change fails here
               CASE WHEN id IS NULL OR "acceptedAt" IS NULL OR kind IS NULL OR kind = 'edit' AND content IS NULL THEN 'incomplete'
                    ELSE kind END::comment_change AS kind
        FROM json_to_recordset(:?batch::json) AS message (id uuid, kind text, content text, "acceptedAt" timestamptz)
    ) AS received
    ORDER BY id, kind DESC, accepted_at DESC
), found AS (
    -- locked in one order, so that two batches do not wait for each other
    SELECT id FROM comments WHERE id IN (SELECT id FROM change) ORDER BY id FOR UPDATE
), applied AS (
    UPDATE comments
    SET content = CASE change.kind WHEN 'edit' THEN change.content ELSE '' END,
        user_id = CASE change.kind WHEN 'edit' THEN comments.user_id ELSE '' END,
        user_name = CASE change.kind WHEN 'edit' THEN comments.user_name ELSE '' END,
        edited_at = CASE change.kind WHEN 'edit' THEN change.accepted_at ELSE comments.edited_at END,
        erased_at = CASE change.kind WHEN 'erase' THEN change.accepted_at END
    FROM found JOIN change USING (id)
    WHERE comments.id = found.id AND CASE change.kind
        WHEN 'edit' THEN comments.erased_at IS NULL AND coalesce(comments.edited_at <= change.accepted_at, true)
        ELSE coalesce(comments.erased_at = change.accepted_at, true) END
    RETURNING comments.id, comments.post_id, change.kind
), waiting AS (
    INSERT INTO comment_changes_waiting AS former (id, kind, content, accepted_at)
    SELECT id, kind, content, accepted_at FROM change WHERE id NOT IN (SELECT id FROM found) ORDER BY id
    ON CONFLICT (id) DO UPDATE
    SET kind = EXCLUDED.kind, content = EXCLUDED.content, accepted_at = EXCLUDED.accepted_at, waiting_since = now()
    WHERE (EXCLUDED.kind, EXCLUDED.accepted_at) > (former.kind, former.accepted_at)
)
SELECT count(*) FILTER (WHERE kind = 'edit') AS edited, count(*) FILTER (WHERE kind = 'erase') AS erased,
       json_agg(json_build_object('id', id, 'postId', post_id, 'change', CASE kind WHEN 'edit' THEN 'edited' ELSE 'erased' END))::text
           AS notification
FROM applied
