-- When a row was changed, by the database's clock: edited_at and erased_at are of the clocks of comment-service. As in V6__changes.sql, the new
-- column changes no row, and gives up soon, and tries again, while a long transaction holds up its lock.
DO $$
BEGIN
    FOR attempt IN 1..300 LOOP
        BEGIN
            SET LOCAL lock_timeout = '500ms';
            ALTER TABLE comments ADD COLUMN changed_at timestamptz;
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(1);
        END;
    END LOOP;
    RAISE EXCEPTION 'a transaction holds up the column changed_at of the table comments' USING ERRCODE = '55P03';
END $$;

COMMENT ON COLUMN comments.changed_at IS 'When the last edit or the erasure was written.';
