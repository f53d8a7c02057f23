-- A session that sets comments.retention_days reads no period from before. Else, each page of a quiet post would pass the index entries of the
-- comments that were deleted, until VACUUM removes them.
CREATE OR REPLACE VIEW comment_periods AS
WITH RECURSIVE oldest (start) AS MATERIALIZED (
    SELECT date_bin('28 days', coalesce(now() - nullif(nullif(current_setting('comments.retention_days', true), ''), '0')::int * interval '1 day',
                                        '-infinity'), '2000-01-03Z')
), period (start) AS (
    (SELECT date_bin('28 days', accepted_at, '2000-01-03Z') FROM comments
     WHERE date_bin('28 days', accepted_at, '2000-01-03Z') >= (SELECT start FROM oldest)
     ORDER BY date_bin('28 days', accepted_at, '2000-01-03Z') DESC LIMIT 1)
    UNION ALL
    SELECT (SELECT date_bin('28 days', accepted_at, '2000-01-03Z') FROM comments
            WHERE date_bin('28 days', accepted_at, '2000-01-03Z') < period.start
              AND date_bin('28 days', accepted_at, '2000-01-03Z') >= (SELECT start FROM oldest)
            ORDER BY date_bin('28 days', accepted_at, '2000-01-03Z') DESC LIMIT 1)
    FROM period WHERE period.start IS NOT NULL
)
SELECT start FROM period WHERE start IS NOT NULL;
