-- What clients of the stream look for that were away. An insert adds nothing to it.
CREATE INDEX comments_by_change ON comments (post_id COLLATE "C", changed_at) WHERE changed_at IS NOT NULL;
