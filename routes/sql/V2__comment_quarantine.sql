CREATE TABLE comment_quarantine (
    id             text        PRIMARY KEY GENERATED ALWAYS AS (encode(sha256(body), 'hex')) STORED,
    body           bytea       NOT NULL,
    sqlstate       text        NOT NULL,
    reason         text        NOT NULL,
    quarantined_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE comment_quarantine IS 'What came in the queue and can''t be a row of comments, as it came.';
COMMENT ON COLUMN comment_quarantine.id IS 'The same body is kept once.';
COMMENT ON COLUMN comment_quarantine.sqlstate IS 'The error of the statement that had this comment alone.';
