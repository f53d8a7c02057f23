-- Inserts comments that the database refused, each with the reason. A redelivered message inserts no second row. A comment of a user whose
-- erasure was accepted later is not kept.
INSERT INTO comment_quarantine (body, sqlstate, reason)
SELECT refused.body, sqlstate, reason
FROM (
    SELECT decode(body, 'base64') AS body, sqlstate, reason
    FROM json_to_recordset(:?rejected::json) AS rejected (body text, sqlstate text, reason text)
) AS refused
WHERE NOT EXISTS (
    SELECT FROM quarantined_comment(refused.body) AS comment
    JOIN user_erasures ON user_hash = sha256(convert_to(comment.user_id, 'UTF8')) AND user_erasures.accepted_at >= comment.accepted_at
)
ON CONFLICT (id) DO NOTHING
