-- Applies the changes that wait, and whose comments are there by now. A change that waits for too long is quarantined. Several processes may
-- do this at once: each takes other rows.
-- What it sets in a comment is also in apply-changes.sql: change both.
WITH found AS (
    SELECT id FROM comments WHERE id IN (SELECT id FROM comment_changes_waiting) ORDER BY id FOR UPDATE
), change AS (
    DELETE FROM comment_changes_waiting
    WHERE id IN (SELECT waiting.id FROM comment_changes_waiting AS waiting JOIN found USING (id) FOR UPDATE OF waiting SKIP LOCKED)
    RETURNING id, kind, content, accepted_at
), applied AS (
    UPDATE comments
    SET content = CASE change.kind WHEN 'edit' THEN change.content ELSE '' END,
        user_id = CASE change.kind WHEN 'edit' THEN comments.user_id ELSE '' END,
        user_name = CASE change.kind WHEN 'edit' THEN comments.user_name ELSE '' END,
        edited_at = CASE change.kind WHEN 'edit' THEN change.accepted_at ELSE comments.edited_at END,
        erased_at = CASE change.kind WHEN 'erase' THEN change.accepted_at END
    FROM change
    WHERE comments.id = change.id AND comments.erased_at IS NULL
      AND (change.kind = 'erase' OR coalesce(comments.edited_at <= change.accepted_at, true))
    RETURNING comments.id, comments.post_id, change.kind
), late AS (
    DELETE FROM comment_changes_waiting
    WHERE waiting_since < now() - :?waitMillis * interval '1 millisecond' AND id NOT IN (SELECT id FROM found)
    RETURNING id, kind, content, accepted_at
), quarantined AS (
    INSERT INTO comment_quarantine (body, sqlstate, reason)
    SELECT convert_to(json_strip_nulls(json_build_object('id', id, 'kind', kind, 'content', content,
               'acceptedAt', to_char(accepted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')))::text, 'UTF8'),
           '02000', 'a change of a comment that did not come in ' || :?waitMillis || ' ms'
    FROM late
    ON CONFLICT (id) DO NOTHING
    RETURNING 1
)
SELECT count(*) FILTER (WHERE kind = 'edit') AS edited, count(*) FILTER (WHERE kind = 'erase') AS erased,
       (SELECT count(*) FROM late) AS quarantined,
       (SELECT count(*) FROM comment_changes_waiting) - (SELECT count(*) FROM change) - (SELECT count(*) FROM late) AS waiting,
       json_agg(json_build_object('id', id, 'postId', post_id, 'change', CASE kind WHEN 'edit' THEN 'edited' ELSE 'erased' END))::text
           AS notification
FROM applied
