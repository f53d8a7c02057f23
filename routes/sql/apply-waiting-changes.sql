-- Applies the changes that wait, and whose comments are there by now. A change that waits for too long is quarantined. The
-- others wait until they are told of, too: a process that is killed before leaves them to the next, and they have the same effect once more.
-- The erasure of a comment that was erased as it came is told of, also if an edit or another erasure of it waits.
-- What it sets in a comment is also in apply-changes.sql: change both.
WITH found AS (
    SELECT id, user_id, coalesce(erased_at, (
        SELECT user_erasures.accepted_at FROM user_erasures
        WHERE user_hash = sha256(convert_to(user_id, 'UTF8')) AND user_erasures.accepted_at >= comments.accepted_at)) AS user_erased_at
    -- a notification of more could be larger than the broker takes
    FROM comments WHERE id IN (SELECT id FROM comment_changes_waiting) ORDER BY id LIMIT 10000 FOR UPDATE
), change AS (
    SELECT id, kind, content, accepted_at FROM comment_changes_waiting AS waiting JOIN found USING (id) FOR UPDATE OF waiting SKIP LOCKED
), winner AS (
    SELECT id, content, CASE WHEN user_erased_at IS NULL THEN kind ELSE 'erase' END AS kind,
           coalesce(user_erased_at, accepted_at) AS accepted_at
    FROM found JOIN change USING (id)
), applied AS (
    UPDATE comments
    SET content = CASE change.kind WHEN 'edit' THEN change.content ELSE '' END,
        user_id = CASE change.kind WHEN 'edit' THEN comments.user_id ELSE '' END,
        user_name = CASE change.kind WHEN 'edit' THEN comments.user_name ELSE '' END,
        edited_at = CASE change.kind WHEN 'edit' THEN change.accepted_at ELSE comments.edited_at END,
        changed_at = now(),
        erased_at = CASE change.kind WHEN 'erase' THEN change.accepted_at END
    FROM winner AS change
    WHERE comments.id = change.id AND CASE change.kind
        WHEN 'edit' THEN comments.erased_at IS NULL AND coalesce(comments.edited_at <= change.accepted_at, true)
        ELSE coalesce(comments.erased_at = change.accepted_at, true) END
    RETURNING comments.id, comments.post_id, change.kind, change.accepted_at
), forgotten_comments AS (
    -- what the same user sent with the same id
    DELETE FROM comment_quarantine AS differing
    USING applied JOIN found USING (id)
    WHERE kind = 'erase' AND differing.sqlstate = '23505'
      -- as quarantine-differing.sql says
      AND differing.reason = 'another comment has the id ' || applied.id || ', with other contents'
      AND convert_from(differing.body, 'UTF8')::json ->> 'userId' = user_id
), late AS (
    DELETE FROM comment_changes_waiting
    WHERE id IN (
        SELECT id FROM comment_changes_waiting AS waiting
        WHERE waiting_since < now() - :?waitMillis * interval '1 millisecond' AND NOT EXISTS (SELECT FROM comments WHERE comments.id = waiting.id)
        -- any number of them may be late at once, and a statement has a limited time
        ORDER BY id LIMIT 10000 FOR UPDATE SKIP LOCKED
    )
    RETURNING id, kind, content, accepted_at
), forgotten AS (
    -- edits that waited for too long, also of a comment that has not come
    DELETE FROM comment_quarantine
    WHERE sqlstate = '02000' AND CASE sqlstate WHEN '02000' THEN convert_from(body, 'UTF8')::json ->> 'kind' = 'edit' END
      -- an array, as in apply-changes.sql
      AND substring(body FROM 8 FOR 36) = ANY (ARRAY(
          SELECT convert_to(id::text, 'UTF8') FROM applied WHERE kind = 'erase'
          UNION SELECT convert_to(id::text, 'UTF8') FROM late WHERE kind = 'erase'))
), erased AS MATERIALIZED (
    -- edits that come too late after an erasure that did
    SELECT substring(body FROM 8 FOR 36) AS comment FROM comment_quarantine
    WHERE sqlstate = '02000' AND CASE sqlstate WHEN '02000' THEN convert_from(body, 'UTF8')::json ->> 'kind' = 'erase' END
      AND substring(body FROM 8 FOR 36) = ANY (ARRAY(SELECT convert_to(id::text, 'UTF8') FROM late WHERE kind = 'edit'))
), quarantined AS (
    INSERT INTO comment_quarantine (body, sqlstate, reason)
    SELECT convert_to(json_strip_nulls(json_build_object('id', id, 'kind', kind, 'content', content,
               'acceptedAt', to_char(accepted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')))::text, 'UTF8'),
           '02000', 'a change of a comment that did not come in ' || :?waitMillis || ' ms'
    FROM late WHERE kind = 'erase' OR convert_to(id::text, 'UTF8') NOT IN (SELECT comment FROM erased)
    ON CONFLICT (id) DO NOTHING
    RETURNING 1
)
SELECT count(*) FILTER (WHERE kind = 'edit') AS edited, count(*) FILTER (WHERE kind = 'erase') AS erased,
       (SELECT count(*) FROM late) AS quarantined,
       (SELECT count(*) FROM comment_changes_waiting) - (SELECT count(*) FROM change) - (SELECT count(*) FROM late) AS waiting,
       (SELECT coalesce(extract(epoch FROM now() - min(waiting_since)), 0)::float8 FROM comment_changes_waiting
        WHERE id NOT IN (SELECT id FROM change) AND id NOT IN (SELECT id FROM late)) AS waiting_seconds,
       -- in one order: changes that are applied again have the same notification
       -- the time makes notifications of two edits differ: receivers leave out what they have had
       json_agg(json_build_object(
           'id', id, 'postId', post_id, 'change', CASE kind WHEN 'edit' THEN 'edited' ELSE 'erased' END,
           CASE kind WHEN 'edit' THEN 'editedAt' ELSE 'erasedAt' END, to_char(accepted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
       ) ORDER BY kind, id)::text AS notification,
       (SELECT json_agg(json_build_object('id', id, 'kind', kind, 'accepted_at', accepted_at))::text FROM change) AS settled
FROM applied
