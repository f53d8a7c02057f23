-- The least privileges in PostgreSQL: an owner that makes the schema, a writer that adds and reads rows but can't change or delete
-- them, and a reader.
-- The owner of the database runs this once:
--   psql -v owner_password=… -v writer_password=… -v reader_password=… -f docker/postgresql-roles.sql comments
-- Then start one comment-job-processor as comments_owner, to make the schema, and the others as comments_writer with
-- POSTGRES_MIGRATE=false, and comment-reader as comments_reader with the same. A new version starts as comments_owner first.
CREATE ROLE comments_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE comments_writer LOGIN PASSWORD :'writer_password';
CREATE ROLE comments_reader LOGIN PASSWORD :'reader_password';
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO comments_owner;
GRANT USAGE ON SCHEMA public TO comments_writer, comments_reader;
-- INSERT with ON CONFLICT (id) needs SELECT
ALTER DEFAULT PRIVILEGES FOR ROLE comments_owner IN SCHEMA public GRANT INSERT, SELECT ON TABLES TO comments_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE comments_owner IN SCHEMA public GRANT SELECT ON TABLES TO comments_reader;
