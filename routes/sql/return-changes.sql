-- Takes back from the quarantine the changes whose comments came after all, as after an outage or a backlog that was longer than the wait: they
-- were promised. They wait once more, so that the next statement in apply-waiting-changes.sql applies and tells of them. A change is taken back
-- however late its comment comes, and changes of comments that never come stay: so it reads up to 1,000 of them, in the order of an index, and
-- the next statement continues behind them. No place if none are left.
WITH late AS MATERIALIZED (
    SELECT id, substring(body FROM 8 FOR 36) AS place, (convert_from(body, 'UTF8')::json ->> 'id')::uuid AS comment
    FROM comment_quarantine
    WHERE sqlstate = '02000' AND substring(body FROM 8 FOR 36) > convert_to(:?after, 'UTF8')
    ORDER BY substring(body FROM 8 FOR 36)
    FETCH FIRST 1000 ROWS WITH TIES
), came AS MATERIALIZED (
    -- arrays, as in apply-changes.sql: a join could read all comments
    SELECT id FROM comments WHERE id = ANY (ARRAY(SELECT comment FROM late))
), returned AS (
    DELETE FROM comment_quarantine
    WHERE id = ANY (ARRAY(
        SELECT id FROM comment_quarantine
        WHERE id = ANY (ARRAY(SELECT id FROM late WHERE comment IN (SELECT id FROM came))) FOR UPDATE SKIP LOCKED))
    RETURNING convert_from(body, 'UTF8')::json AS body
), change AS (
    SELECT (body ->> 'id')::uuid AS id, (body ->> 'kind')::comment_change AS kind, body ->> 'content' AS content,
           (body ->> 'acceptedAt')::timestamptz AS accepted_at
    FROM returned
), waiting AS (
    -- as in apply-changes.sql, which CommentChangesTest compares: an erasure wins, then the last edit and the first erasure
    INSERT INTO comment_changes_waiting AS former (id, kind, content, accepted_at)
    SELECT DISTINCT ON (id) id, kind, content, accepted_at
    FROM change
    ORDER BY id, kind DESC, extract(epoch FROM accepted_at) * CASE kind WHEN 'edit' THEN -1 ELSE 1 END
    ON CONFLICT (id) DO UPDATE
    SET kind = EXCLUDED.kind, content = EXCLUDED.content, accepted_at = EXCLUDED.accepted_at, waiting_since = now()
    WHERE EXCLUDED.kind > former.kind OR EXCLUDED.kind = former.kind AND CASE EXCLUDED.kind
        WHEN 'edit' THEN EXCLUDED.accepted_at > former.accepted_at ELSE EXCLUDED.accepted_at < former.accepted_at END
)
SELECT (SELECT count(DISTINCT id) FROM change) AS comments,
       CASE WHEN (SELECT count(*) FROM late) >= 1000 THEN (SELECT convert_from(place, 'UTF8') FROM late ORDER BY place DESC LIMIT 1) END AS after,
       -- a twentieth of the time of one connection, unless that would hold up the end of the process
       least(5000, extract(epoch FROM clock_timestamp() - now()) * 20000)::int AS pause
