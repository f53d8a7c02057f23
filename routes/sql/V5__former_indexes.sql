-- The indexes of V3__reading.sql, which readers of the former version need: see SchemaMigration.
DROP INDEX comments_by_post;
DROP INDEX comments_by_parent;
