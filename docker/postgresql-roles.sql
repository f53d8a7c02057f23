-- The least privileges in PostgreSQL: an owner that makes the schema, a writer that adds and reads rows but can't change or delete
-- them, a changer that also edits and erases, and deletes comments where COMMENTS_RETENTION is set, and a reader that sees no quarantine. Only the owner uses the history of the schema.
-- A superuser runs this in the database; again, to change the passwords. psql (14 or later) takes them from the environment:
--   COMMENTS_OWNER_PASSWORD=… COMMENTS_WRITER_PASSWORD=… COMMENTS_CHANGER_PASSWORD=… COMMENTS_READER_PASSWORD=… psql -f docker/postgresql-roles.sql comments
-- Then a process makes the schema as comments_owner and ends (POSTGRES_MIGRATE=only). All others have POSTGRES_MIGRATE=false:
-- comment-reader as comments_reader, comment-job-processor as comments_writer,
-- comment-changes, or a process with all roles, as comments_changer. A new version begins with the owner, too.
\set ON_ERROR_STOP on
\getenv owner_password COMMENTS_OWNER_PASSWORD
\getenv writer_password COMMENTS_WRITER_PASSWORD
\getenv changer_password COMMENTS_CHANGER_PASSWORD
\getenv reader_password COMMENTS_READER_PASSWORD
-- keeps the passwords out of the server's log
SELECT set_config('log_statement', 'none', false), set_config('log_min_error_statement', 'panic', false),
       set_config('log_min_duration_statement', '-1', false) WHERE current_setting('is_superuser')::boolean \g /dev/null
SELECT format('CREATE ROLE %I LOGIN', role) FROM unnest(ARRAY['comments_owner', 'comments_writer', 'comments_changer', 'comments_reader']) AS role
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) \gexec
ALTER ROLE comments_owner PASSWORD :'owner_password';
ALTER ROLE comments_writer PASSWORD :'writer_password';
ALTER ROLE comments_changer PASSWORD :'changer_password';
ALTER ROLE comments_reader PASSWORD :'reader_password';
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO comments_owner;
GRANT USAGE ON SCHEMA public TO comments_writer, comments_changer, comments_reader;
-- INSERT with ON CONFLICT (id) needs SELECT. routes/sql/privileges.sql takes back what is too much.
ALTER DEFAULT PRIVILEGES FOR ROLE comments_owner IN SCHEMA public GRANT INSERT, SELECT ON TABLES TO comments_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE comments_owner IN SCHEMA public GRANT INSERT, SELECT, UPDATE, DELETE ON TABLES TO comments_changer;
ALTER DEFAULT PRIVILEGES FOR ROLE comments_owner IN SCHEMA public GRANT SELECT ON TABLES TO comments_reader;
