-- Begins the search for comments of users who are to be erased, of all who wait for it at once, if none goes on: when each transaction has
-- ended that could still write without having seen the record of the erasure. An insert has its lock before its snapshot, so that these
-- transactions hold a lock now or have ended, and a snapshot of a later statement sees what they wrote.
WITH writing AS MATERIALIZED (
    SELECT virtualtransaction FROM pg_locks
    WHERE locktype = 'relation' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND relation IN ('comments'::regclass, 'comment_quarantine'::regclass) AND pid IS DISTINCT FROM pg_backend_pid()
      AND mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
), waiting AS MATERIALIZED (
    -- in the order of apply-changes.sql
    SELECT user_hash FROM user_erasures_running WHERE after_row IS NULL ORDER BY user_hash FOR UPDATE
), noted AS (
    UPDATE user_erasures_running SET writers = ARRAY(SELECT virtualtransaction FROM writing)
    WHERE writers IS NULL AND user_hash IN (SELECT user_hash FROM waiting)
      -- one search after the other: an erasure that is repeated changes the one that waits, see apply-changes.sql
      AND NOT EXISTS (SELECT FROM user_erasures_running WHERE writers IS NOT NULL)
), begun AS (
    UPDATE user_erasures_running SET after_row = '(0,0)'
    WHERE after_row IS NULL AND NOT writers && ARRAY(SELECT virtualtransaction FROM writing)
      AND user_hash IN (SELECT user_hash FROM waiting)
      AND NOT EXISTS (SELECT FROM user_erasures_running WHERE after_row IS NOT NULL)
    RETURNING 1
)
SELECT count(*) AS running, coalesce(extract(epoch FROM now() - min(recorded_at)), 0)::float8 AS age,
       least(1, coalesce(max((after_row::text::point)[0] / greatest(blocks, 1)), 0)) AS progress,
       (SELECT count(*) FROM begun) + count(after_row) AS searched
FROM user_erasures_running
