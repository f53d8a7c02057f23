-- Edits and erasures. New columns without a default change no row, so this takes no longer in a large table. Readers and writers would queue
-- behind the lock while a long transaction, such as that of a dump, holds it up: so it gives up soon, and tries again. An erased row keeps
-- empty texts instead of NULL: the constraints stay, and readers of the former version find a text.
DO $$
BEGIN
    FOR attempt IN 1..300 LOOP
        BEGIN
            SET LOCAL lock_timeout = '500ms';
            ALTER TABLE comments ADD COLUMN edited_at timestamptz, ADD COLUMN erased_at timestamptz;
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(1);
        END;
    END LOOP;
    RAISE EXCEPTION 'a transaction holds up the columns edited_at and erased_at of the table comments' USING ERRCODE = '55P03';
END $$;

COMMENT ON COLUMN comments.edited_at IS 'When comment-service took the last edit.';
COMMENT ON COLUMN comments.erased_at IS 'When comment-service took the erasure. The content, the user''s id and the name are empty since.';

-- in their order: an erasure wins over an edit
CREATE TYPE comment_change AS ENUM ('edit', 'erase');

CREATE TABLE comment_changes_waiting (
    id            uuid           PRIMARY KEY,
    kind          comment_change NOT NULL,
    content       text,
    accepted_at   timestamptz    NOT NULL,
    waiting_since timestamptz    NOT NULL DEFAULT now()
);

COMMENT ON TABLE comment_changes_waiting IS 'Changes that came before their comments, of each comment the one that wins.';
COMMENT ON COLUMN comment_changes_waiting.id IS 'The comment.';

CREATE OR REPLACE VIEW comments_as_json AS
SELECT id, post_id, parent_id, accepted_at, created_at, ctid AS location,
       json_strip_nulls(CASE WHEN erased_at IS NULL THEN json_build_object(
           'id', id, 'postId', post_id, 'userId', user_id, 'userName', user_name, 'content', content, 'parentId', parent_id,
           'acceptedAt', to_char(accepted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
           'createdAt', to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
           'editedAt', to_char(edited_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
       ELSE json_build_object(
           'id', id, 'postId', post_id, 'parentId', parent_id,
           'acceptedAt', to_char(accepted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
           'createdAt', to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
           'erasedAt', to_char(erased_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) END)::text AS comment,
       edited_at, erased_at
FROM comments;
