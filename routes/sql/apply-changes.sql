-- Applies one batch of changes with one statement: all of them are one JSON array. Of the changes of one comment, an erasure wins, else the
-- edit that was accepted last, whatever the order in which batches are written. A redelivered message has the same effect once more, also
-- together with other ones: of several erasures the first counts. A change whose comment is not there waits for it. The erasure of a user is
-- recorded, so that comments that come later are erased, too, and begins the search for those that are there. An edit of a comment that such
-- an erasure concerns erases it: the edited row may get a place that the search has passed. A second delivery of the edit could not tell
-- of that, since the row has no user any more: so this erasure waits, and apply-waiting-changes.sql tells of it.
-- What it sets in a comment is also in apply-waiting-changes.sql: change both.
WITH received AS MATERIALIZED (
    SELECT id, content, "userId" AS user_id, "acceptedAt" AS accepted_at,
           CASE WHEN id IS NULL OR "acceptedAt" IS NULL OR kind IS NULL OR kind = 'edit' AND content IS NULL
                     OR kind = 'erase-user' AND "userId" IS NULL THEN 'incomplete' ELSE kind END AS kind
    FROM json_to_recordset(:?batch::json) AS message (id uuid, kind text, content text, "userId" text, "acceptedAt" timestamptz)
), change AS (
    SELECT DISTINCT ON (id) id, kind, content, accepted_at,
           array_agg(accepted_at) FILTER (WHERE kind = 'erase') OVER (PARTITION BY id) AS erasures
    -- what is no change fails here
    FROM (SELECT id, kind::comment_change AS kind, content, accepted_at FROM received WHERE kind <> 'erase-user') AS known
    ORDER BY id, kind DESC, CASE kind WHEN 'erase' THEN accepted_at END, accepted_at DESC
), person AS (
    SELECT DISTINCT ON (user_id) sha256(convert_to(user_id, 'UTF8')) AS user_hash, id, user_id, accepted_at
    FROM received WHERE kind = 'erase-user' ORDER BY user_id, accepted_at DESC
), recorded AS (
    INSERT INTO user_erasures AS former (user_hash, accepted_at)
    SELECT user_hash, accepted_at FROM person ORDER BY user_hash
    ON CONFLICT (user_hash) DO UPDATE SET accepted_at = EXCLUDED.accepted_at WHERE former.accepted_at < EXCLUDED.accepted_at
    RETURNING user_hash
), searched AS (
    -- A search that has begun, or whose begin is near, keeps its place, however often the erasure is repeated: what is newer waits beside it for
    -- the next search, under the hash of the hash. Where it waits already, it keeps its age.
    INSERT INTO user_erasures_running (user_hash, id, user_id, accepted_at)
    SELECT coalesce((SELECT running.user_hash FROM user_erasures_running AS running
                     WHERE running.user_id = person.user_id AND running.writers IS NULL LIMIT 1),
                    CASE WHEN EXISTS (SELECT FROM user_erasures_running AS running WHERE running.user_hash = person.user_hash)
                         THEN sha256(person.user_hash) ELSE person.user_hash END) AS user_hash, id, user_id, accepted_at
    FROM person JOIN recorded USING (user_hash) ORDER BY 1
    ON CONFLICT (user_hash) DO UPDATE
    SET id = EXCLUDED.id, accepted_at = EXCLUDED.accepted_at, writers = NULL, after_row = NULL, blocks = NULL, files = NULL, found = 0
), found AS (
    -- locked in one order, so that two batches do not wait for each other
    SELECT id, user_id, erased_at, (SELECT user_erasures.accepted_at FROM user_erasures
                                    WHERE user_hash = sha256(convert_to(user_id, 'UTF8')) AND user_erasures.accepted_at >= comments.accepted_at) AS user_erased_at
    FROM comments WHERE id IN (SELECT id FROM change) ORDER BY id FOR UPDATE
), winner AS (
    SELECT id, content, CASE WHEN user_erased_at IS NULL THEN kind ELSE 'erase' END AS kind,
           CASE WHEN erased_at = ANY (erasures) THEN erased_at
                WHEN kind = 'erase' OR user_erased_at IS NULL THEN accepted_at ELSE user_erased_at END AS accepted_at,
           kind = 'edit' AND user_erased_at IS NOT NULL AS waits
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
), forgotten AS (
    -- edits that waited for too long, also of a comment that has not come
    DELETE FROM comment_quarantine
    WHERE sqlstate = '02000' AND CASE sqlstate WHEN '02000' THEN convert_from(body, 'UTF8')::json ->> 'kind' = 'edit' END
      -- an array: no plan of a join, whose size is a guess, reads all late changes instead of the index of V13__late_changes.sql
      AND substring(body FROM 8 FOR 36) = ANY (ARRAY(
          SELECT convert_to(id::text, 'UTF8') FROM change WHERE kind = 'erase'
          UNION SELECT convert_to(id::text, 'UTF8') FROM winner WHERE kind = 'erase'))
), waiting AS (
    INSERT INTO comment_changes_waiting AS former (id, kind, content, accepted_at)
    SELECT id, kind, content, accepted_at FROM change WHERE id NOT IN (SELECT id FROM found)
    UNION ALL
    SELECT id, kind, NULL, accepted_at FROM winner WHERE waits
    ORDER BY id
    ON CONFLICT (id) DO UPDATE
    SET kind = EXCLUDED.kind, content = EXCLUDED.content, accepted_at = EXCLUDED.accepted_at, waiting_since = now()
    WHERE EXCLUDED.kind > former.kind OR EXCLUDED.kind = former.kind AND CASE EXCLUDED.kind
        WHEN 'edit' THEN EXCLUDED.accepted_at > former.accepted_at ELSE EXCLUDED.accepted_at < former.accepted_at END
)
SELECT count(*) FILTER (WHERE kind = 'edit') AS edited, count(*) FILTER (WHERE kind = 'erase') AS erased,
       -- in one order: changes that are applied again have the same notification
       -- the time makes notifications of two edits differ: receivers leave out what they have had
       json_agg(json_build_object(
           'id', id, 'postId', post_id, 'change', CASE kind WHEN 'edit' THEN 'edited' ELSE 'erased' END,
           CASE kind WHEN 'edit' THEN 'editedAt' ELSE 'erasedAt' END, to_char(accepted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
       ) ORDER BY kind, id)::text AS notification
FROM applied WHERE id NOT IN (SELECT id FROM winner WHERE waits)
