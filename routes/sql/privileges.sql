-- Takes back what docker/postgresql-roles.sql grants to its roles by default, on every table of the owner: the history of the schema is
-- the owner's alone, a reader sees neither the quarantine nor changes that wait nor whose comments are erased, a writer only adds changes that
-- wait, and looks whose comments are erased by the hashes, and no role deletes rows of comments, unless there is a retention: then
-- comments_changer does. Without these roles, it does nothing.
DO $$
DECLARE
    granted record;
    retention boolean := coalesce(nullif(current_setting('comments.retention_days', true), '')::int > 0, false);
BEGIN
    IF retention AND to_regrole('comments_changer') IS NOT NULL THEN
        IF NOT has_table_privilege('comments_changer', 'comments', 'DELETE') THEN
            GRANT DELETE ON comments TO comments_changer;
        END IF;
    END IF;
    -- a former version took it
    IF to_regrole('comments_writer') IS NOT NULL THEN
        IF has_table_privilege('comments_writer', 'comments', 'INSERT')
            AND NOT has_table_privilege('comments_writer', 'comment_changes_waiting', 'INSERT') THEN
            GRANT INSERT ON comment_changes_waiting TO comments_writer;
        END IF;
    END IF;
    FOR granted IN
        SELECT DISTINCT tables.oid::regclass AS name, roles.rolname AS role, privileges.privilege_type AS privilege
        FROM pg_class AS tables CROSS JOIN aclexplode(tables.relacl) AS privileges JOIN pg_roles AS roles ON roles.oid = privileges.grantee
        WHERE tables.relnamespace = current_schema()::regnamespace AND pg_has_role(tables.relowner, 'USAGE')
          AND (roles.rolname IN ('comments_reader', 'comments_writer', 'comments_changer')
                AND tables.relname IN ('comments_schema_history', 'flyway_schema_history')
            OR roles.rolname = 'comments_reader' AND tables.relname IN ('comment_changes_waiting', 'comment_quarantine', 'user_erasures')
            OR roles.rolname IN ('comments_reader', 'comments_writer') AND tables.relname = 'user_erasures_running'
            OR roles.rolname = 'comments_writer' AND tables.relname = 'comment_changes_waiting' AND privileges.privilege_type <> 'INSERT'
            OR roles.rolname = 'comments_writer' AND tables.relname = 'user_erasures' AND privileges.privilege_type <> 'SELECT'
            OR roles.rolname = 'comments_changer' AND tables.relname = 'comments' AND privileges.privilege_type = 'DELETE'
                AND NOT retention)
    LOOP
        EXECUTE format('REVOKE %s ON %s FROM %I', granted.privilege, granted.name, granted.role);
    END LOOP;
END $$;
