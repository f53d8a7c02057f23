-- Inserts comments that the database refused, each with the reason. A redelivered message inserts no second row.
INSERT INTO comment_quarantine (body, sqlstate, reason)
SELECT decode(body, 'base64'), sqlstate, reason
FROM json_to_recordset(:?rejected::json) AS rejected (body text, sqlstate text, reason text)
ON CONFLICT (id) DO NOTHING
