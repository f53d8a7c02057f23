-- Takes back what docker/postgresql-roles.sql grants to its roles by default, on every table of the owner: the history of the schema is
-- the owner's alone, and a reader sees no quarantine. Without these roles, it does nothing.
DO $$
DECLARE
    granted record;
BEGIN
    FOR granted IN
        SELECT DISTINCT tables.oid::regclass AS name, roles.rolname AS role
        FROM pg_class AS tables CROSS JOIN aclexplode(tables.relacl) AS privileges JOIN pg_roles AS roles ON roles.oid = privileges.grantee
        WHERE tables.relnamespace = current_schema()::regnamespace AND pg_has_role(tables.relowner, 'USAGE')
          AND (roles.rolname = 'comments_reader' AND tables.relname IN ('comment_quarantine', 'comments_schema_history', 'flyway_schema_history')
            OR roles.rolname = 'comments_writer' AND tables.relname IN ('comments_schema_history', 'flyway_schema_history'))
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %I', granted.name, granted.role);
    END LOOP;
END $$;
