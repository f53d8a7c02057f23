-- The periods from the newest to the oldest are counted, which takes two descents of the index instead of one for each. Some may have no
-- comments. One comment of another century would make too many, so more than five years of periods are looked up one by one, as before;
-- so are those of infinite times. A period has 672 hours: a day of a session's time zone may have 23 or 25.
CREATE OR REPLACE VIEW comment_periods AS
WITH RECURSIVE oldest (start) AS MATERIALIZED (
    SELECT date_bin('28 days', coalesce(now() - nullif(nullif(current_setting('comments.retention_days', true), ''), '0')::int * interval '1 day',
                                        '-infinity'), '2000-01-03Z')
), bounds (first, last) AS MATERIALIZED (
    SELECT (SELECT date_bin('28 days', accepted_at, '2000-01-03Z') FROM comments
            WHERE date_bin('28 days', accepted_at, '2000-01-03Z') >= (SELECT start FROM oldest)
            ORDER BY date_bin('28 days', accepted_at, '2000-01-03Z') LIMIT 1),
           (SELECT date_bin('28 days', accepted_at, '2000-01-03Z') FROM comments
            WHERE date_bin('28 days', accepted_at, '2000-01-03Z') >= (SELECT start FROM oldest)
            ORDER BY date_bin('28 days', accepted_at, '2000-01-03Z') DESC LIMIT 1)
), extent (first, last, counted) AS MATERIALIZED (
    SELECT first, last, isfinite(first) AND isfinite(last) AND last <= first + interval '1820 days' FROM bounds
), period (start) AS (
    SELECT last FROM extent WHERE NOT counted
    UNION ALL
    SELECT (SELECT date_bin('28 days', accepted_at, '2000-01-03Z') FROM comments
            WHERE date_bin('28 days', accepted_at, '2000-01-03Z') < period.start
              AND date_bin('28 days', accepted_at, '2000-01-03Z') >= (SELECT start FROM oldest)
            ORDER BY date_bin('28 days', accepted_at, '2000-01-03Z') DESC LIMIT 1)
    FROM period WHERE period.start IS NOT NULL
)
SELECT generate_series(last, first, interval '-672 hours') AS start FROM extent WHERE counted
UNION ALL
SELECT start FROM period WHERE start IS NOT NULL;

COMMENT ON VIEW comment_periods IS 'The periods of the indexes, newest first: those with comments, and perhaps some between them without.';
