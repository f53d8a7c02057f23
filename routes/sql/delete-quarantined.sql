-- Deletes what the quarantine has kept for longer than it may.
DELETE FROM comment_quarantine WHERE quarantined_at < now() - :?days * interval '1 day'
