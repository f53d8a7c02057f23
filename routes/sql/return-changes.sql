-- Takes back from the quarantine the changes whose comments came after all, as after an outage or a backlog that was longer than the wait: they
-- were promised. They wait once more, so that the next statement in apply-waiting-changes.sql applies and tells of them. It reads what was
-- quarantined in the last day, so that changes of comments that never come cost nothing for ever.
WITH returned AS (
    DELETE FROM comment_quarantine
    WHERE id IN (
        SELECT id FROM comment_quarantine AS late
        -- CASE: what has another state may be no JSON
        WHERE sqlstate = '02000' AND quarantined_at > now() - interval '1 day' AND CASE sqlstate WHEN '02000' THEN
            EXISTS (SELECT FROM comments WHERE comments.id = (convert_from(body, 'UTF8')::json ->> 'id')::uuid) END
        -- a statement has a limited time; the next look takes more
        ORDER BY quarantined_at LIMIT 10000 FOR UPDATE SKIP LOCKED
    )
    RETURNING convert_from(body, 'UTF8')::json AS body
), change AS (
    SELECT (body ->> 'id')::uuid AS id, (body ->> 'kind')::comment_change AS kind, body ->> 'content' AS content,
           (body ->> 'acceptedAt')::timestamptz AS accepted_at
    FROM returned
)
-- as in apply-changes.sql, which CommentChangesTest compares: an erasure wins, then the last edit and the first erasure
INSERT INTO comment_changes_waiting AS former (id, kind, content, accepted_at)
SELECT DISTINCT ON (id) id, kind, content, accepted_at
FROM change
ORDER BY id, kind DESC, extract(epoch FROM accepted_at) * CASE kind WHEN 'edit' THEN -1 ELSE 1 END
ON CONFLICT (id) DO UPDATE
SET kind = EXCLUDED.kind, content = EXCLUDED.content, accepted_at = EXCLUDED.accepted_at, waiting_since = now()
WHERE EXCLUDED.kind > former.kind OR EXCLUDED.kind = former.kind AND CASE EXCLUDED.kind
    WHEN 'edit' THEN EXCLUDED.accepted_at > former.accepted_at ELSE EXCLUDED.accepted_at < former.accepted_at END
