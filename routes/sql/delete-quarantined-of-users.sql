-- Deletes what the quarantine has of users who are to be erased. What can't be read is deleted if it has the user's id in it. Changes that
-- came too late (02000) have no user: the erasures of their comments delete them.
DELETE FROM comment_quarantine WHERE id IN (
    SELECT quarantine.id
    FROM comment_quarantine AS quarantine CROSS JOIN LATERAL quarantined_comment(quarantine.body) AS comment
    JOIN user_erasures_running AS person ON person.after_row IS NOT NULL AND (
        comment.user_id = person.user_id AND coalesce(comment.accepted_at <= person.accepted_at, true)
        OR comment.user_id IS NULL AND quarantine.sqlstate <> '02000' AND position(convert_to(to_json(person.user_id)::text, 'UTF8') IN quarantine.body) > 0)
)
