-- Erasures of all comments of a user. The record of one stays, as a hash, because comments of the user may still be on their way to the table.
CREATE TABLE user_erasures (
    user_hash   bytea       PRIMARY KEY,
    accepted_at timestamptz NOT NULL
);
CREATE INDEX user_erasures_by_time ON user_erasures (accepted_at);

COMMENT ON TABLE user_erasures IS 'Users whose comments were erased, each once.';
COMMENT ON COLUMN user_erasures.user_hash IS 'SHA-256 of the user''s id in UTF-8.';
COMMENT ON COLUMN user_erasures.accepted_at IS 'When comment-service took the erasure: what was accepted until then is erased.';

CREATE TABLE user_erasures_running (
    user_hash   bytea       PRIMARY KEY,
    id          uuid        NOT NULL,
    user_id     text        NOT NULL,
    accepted_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    writers     text[],
    after_row   tid,
    blocks      bigint,
    files       text,
    found       bigint      NOT NULL DEFAULT 0
);

COMMENT ON TABLE user_erasures_running IS 'Erasures of users whose comments are still searched, together.';
COMMENT ON COLUMN user_erasures_running.id IS 'As the answer to the request has it.';
COMMENT ON COLUMN user_erasures_running.writers IS 'The transactions that may not have seen the record of the erasure: the search begins when they have ended.';
COMMENT ON COLUMN user_erasures_running.after_row IS 'The search continues behind this place; null: it has not begun.';
COMMENT ON COLUMN user_erasures_running.blocks IS 'Where the search ends: the blocks of the table. Rows behind those of its begin have seen the record.';
COMMENT ON COLUMN user_erasures_running.files IS 'The files of the table: with others, its rows are in other places, and the search begins again.';
COMMENT ON COLUMN user_erasures_running.found IS 'The comments found until now.';

-- Of a comment in quarantine, which may be anything: the user is null if it can't be read, the time if it is none.
CREATE FUNCTION quarantined_comment(body bytea, OUT user_id text, OUT accepted_at timestamptz) LANGUAGE plpgsql STABLE AS $$
BEGIN
    user_id := convert_from(body, 'UTF8')::json ->> 'userId';
    accepted_at := convert_from(body, 'UTF8')::json ->> 'acceptedAt';
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    -- what was read stays
    NULL;
END $$;

-- changes that came too late, which the erasures of their comments look for
CREATE INDEX comment_quarantine_of_changes ON comment_quarantine (quarantined_at) WHERE sqlstate = '02000';
