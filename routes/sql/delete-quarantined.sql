-- Deletes what the quarantine has kept for longer than it may. An erasure that came too late was promised, and has no person's data: it stays
-- until its comment comes.
DELETE FROM comment_quarantine
WHERE quarantined_at < now() - :?days * interval '1 day'
  -- CASE: what has another state may be no JSON
  AND CASE sqlstate WHEN '02000' THEN convert_from(body, 'UTF8')::json ->> 'kind' <> 'erase' ELSE true END
