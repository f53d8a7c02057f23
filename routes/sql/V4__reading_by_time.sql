-- Indexes whose first key is a period of time: new comments enter one end of each, so that an insert costs the same in a large table. The
-- next key is the post's id itself: clients can make up ids with the same hash. The statements that read must repeat both expressions.
CREATE INDEX comments_by_time_and_post ON comments (date_bin('28 days', accepted_at, '2000-01-03Z'), post_id COLLATE "C", accepted_at);
CREATE INDEX comments_by_time_and_parent ON comments (date_bin('28 days', accepted_at, '2000-01-03Z'), parent_id, accepted_at) WHERE parent_id IS NOT NULL;

-- Each period is found by one descent of the index, when a statement needs it.
CREATE VIEW comment_periods AS
WITH RECURSIVE period (start) AS (
    (SELECT date_bin('28 days', accepted_at, '2000-01-03Z') FROM comments
     ORDER BY date_bin('28 days', accepted_at, '2000-01-03Z') DESC LIMIT 1)
    UNION ALL
    SELECT (SELECT date_bin('28 days', accepted_at, '2000-01-03Z') FROM comments
            WHERE date_bin('28 days', accepted_at, '2000-01-03Z') < period.start
            ORDER BY date_bin('28 days', accepted_at, '2000-01-03Z') DESC LIMIT 1)
    FROM period WHERE period.start IS NOT NULL
)
SELECT start FROM period WHERE start IS NOT NULL;

COMMENT ON VIEW comment_periods IS 'The periods of the indexes that have comments, newest first.';
