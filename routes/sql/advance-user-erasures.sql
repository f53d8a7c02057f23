-- Notes how far the search for comments of users came, or that it has ended. Nothing if another process was faster.
WITH search AS MATERIALIZED (
    SELECT user_hash FROM user_erasures_running
    WHERE after_row = :?after::tid
      AND :?persons = (SELECT string_agg(id::text, ' ' ORDER BY id) FROM user_erasures_running WHERE after_row IS NOT NULL)
    ORDER BY user_hash FOR UPDATE
), counted AS (
    SELECT value::uuid AS id, count(*) AS comments FROM json_array_elements_text(:?erasures::text::json) GROUP BY value
), advanced AS (
    UPDATE user_erasures_running AS running
    SET after_row = :?next::tid, blocks = :?blocks, files = :?files,
        found = found + coalesce((SELECT comments FROM counted WHERE counted.id = running.id), 0)
    FROM search WHERE running.user_hash = search.user_hash AND NOT :?ends
    RETURNING 1
), ended AS (
    DELETE FROM user_erasures_running AS running
    USING search WHERE running.user_hash = search.user_hash AND :?ends
    RETURNING id, found + coalesce((SELECT comments FROM counted WHERE counted.id = running.id), 0) AS found, recorded_at
)
SELECT (SELECT count(*) FROM advanced) + count(*) AS persons,
       string_agg(format('%s: %s %s in %s s', id, found, CASE found WHEN 1 THEN 'comment' ELSE 'comments' END,
                         round(extract(epoch FROM now() - recorded_at))), ', ' ORDER BY id) AS ended
FROM ended
