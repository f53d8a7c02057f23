-- What comment-reader looks for. The hash of a post's id takes half of the room that its text would: both cost each insert, and this one
-- less. Comments of one time are put in their order as they are read.
CREATE INDEX comments_by_post ON comments (hashtextextended(post_id, 0), accepted_at);
CREATE INDEX comments_by_parent ON comments (parent_id, accepted_at) WHERE parent_id IS NOT NULL;

CREATE VIEW comments_as_json AS
SELECT id, post_id, parent_id, accepted_at, created_at, ctid AS location,
       json_strip_nulls(json_build_object(
           'id', id, 'postId', post_id, 'userId', user_id, 'userName', user_name, 'content', content, 'parentId', parent_id,
           'acceptedAt', to_char(accepted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
           'createdAt', to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))::text AS comment
FROM comments;

COMMENT ON VIEW comments_as_json IS 'As the API answers: times as comment-service writes them, and nothing that is null. A location is of use within one statement.';
