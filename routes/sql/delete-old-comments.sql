-- Deletes up to 5,000 comments that are older than the retention, by the database's clock, in the order of the index: the oldest period first.
-- The next statement begins where this one ended, because the index keeps entries of what is deleted until VACUUM removes them. No row
-- if none are left, or if another process deletes now. What a change locks is left for the next day.
WITH turn AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(hashtext('comments: retention')) AS mine, now() - :?days * interval '1 day' AS oldest
), after AS MATERIALIZED (
    SELECT * FROM json_to_record(:?after::json) AS after (period timestamptz, "postId" text, "acceptedAt" timestamptz)
), old AS MATERIALIZED (
    SELECT id, date_bin('28 days', accepted_at, '2000-01-03Z') AS period, post_id, accepted_at
    FROM comments
    WHERE :?days > 0 AND (SELECT mine FROM turn)
      AND (date_bin('28 days', accepted_at, '2000-01-03Z'), post_id COLLATE "C", accepted_at)
          >= ((SELECT period FROM after), (SELECT "postId" FROM after), (SELECT "acceptedAt" FROM after))
      AND date_bin('28 days', accepted_at, '2000-01-03Z') <= date_bin('28 days', (SELECT oldest FROM turn), '2000-01-03Z')
      AND accepted_at < (SELECT oldest FROM turn)
    ORDER BY date_bin('28 days', accepted_at, '2000-01-03Z'), post_id COLLATE "C", accepted_at
    LIMIT 5000
    FOR UPDATE SKIP LOCKED
), deleted AS (
    -- by their ids: in a table with partitions, other rows may have the same ctid
    DELETE FROM comments WHERE id = ANY (ARRAY(SELECT id FROM old)) AND accepted_at < (SELECT oldest FROM turn) RETURNING 1
)
SELECT (SELECT count(*) FROM deleted) AS deleted, json_build_object('period', period, 'postId', post_id, 'acceptedAt', accepted_at)::text AS after,
       to_char(period AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day,
       greatest(100, extract(epoch FROM clock_timestamp() - now()) * 1000)::int AS pause
FROM old
ORDER BY period DESC, post_id COLLATE "C" DESC, accepted_at DESC
LIMIT 1
