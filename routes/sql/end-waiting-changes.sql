-- Ends the wait of changes that are applied and told of. One that another change replaced meanwhile goes on waiting.
DELETE FROM comment_changes_waiting AS waiting
USING json_to_recordset(:?settled::json) AS settled (id uuid, kind comment_change, accepted_at timestamptz)
WHERE waiting.id = settled.id AND waiting.kind = settled.kind AND waiting.accepted_at = settled.accepted_at
