-- What comment-reader looks for, in the order in which it answers. COLLATE "C" compares bytes, which is the cheapest way to
-- keep an index.
CREATE INDEX comments_by_post ON comments (post_id COLLATE "C", accepted_at, id);
CREATE INDEX comments_by_parent ON comments (parent_id, accepted_at, id) WHERE parent_id IS NOT NULL;
