CREATE TABLE comments (
    id          uuid        PRIMARY KEY,
    post_id     text        NOT NULL,
    user_id     text        NOT NULL,
    user_name   text        NOT NULL,
    content     text        NOT NULL,
    parent_id   uuid,
    accepted_at timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE comments IS 'Every accepted comment, once. Posts and users belong to other services: no foreign keys.';
COMMENT ON COLUMN comments.accepted_at IS 'When comment-service took it.';
COMMENT ON COLUMN comments.created_at IS 'When its batch was written.';
