-- The comment of a change that came too late, whose body begins with {"id":"…", as apply-waiting-changes.sql writes it. PostgreSQL has no index of
-- what convert_from() returns, and a column would lack the rows of processes of the former version.
CREATE INDEX comment_quarantine_by_comment ON comment_quarantine (substring(body FROM 8 FOR 36)) WHERE sqlstate = '02000';
