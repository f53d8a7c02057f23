package comments.faults;

import static org.awaitility.Awaitility.await;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;

/**
 * Holds up the transactions that insert or update comments, when they are about to commit, or still in their statement: a trigger waits for a
 * lock in the database, which the test holds until it closes the gate's connection.
 */
final class CommitGate implements AutoCloseable {

    private final Connection connection;

    /** Shuts the gate for those that insert. The connection is this object's from now on. */
    CommitGate(Connection connection) throws SQLException {
        this(connection, "INSERT", "DEFERRABLE INITIALLY DEFERRED");
    }

    /** Shuts the gate for those that {@code INSERT} or {@code UPDATE}. The connection is this object's from now on. */
    CommitGate(Connection connection, String event) throws SQLException {
        this(connection, event, "DEFERRABLE INITIALLY DEFERRED");
    }

    /** Shuts the gate within the statement that inserts: when the gate opens, its transaction is not committed yet. */
    static CommitGate beforeTheCommit(Connection connection) throws SQLException {
        return new CommitGate(connection, "INSERT", "NOT DEFERRABLE");
    }

    private CommitGate(Connection connection, String event, String when) throws SQLException {
        this.connection = connection;
        try (Statement statement = connection.createStatement()) {
            statement.execute("""
                    CREATE OR REPLACE FUNCTION wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS
                        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END $$;
                    DROP TRIGGER IF EXISTS wait_at_commit ON comments;
                    CREATE CONSTRAINT TRIGGER wait_at_commit AFTER %s ON comments %s
                        FOR EACH ROW EXECUTE FUNCTION wait_at_commit();
                    SELECT pg_advisory_lock(1)""".formatted(event, when));
        }
    }

    /** Waits until a transaction stands at the gate. */
    void awaitHeld() {
        awaitHeld(1);
    }

    /** Waits until so many transactions stand at the gate. */
    void awaitHeld(int transactions) {
        await().atMost(Duration.ofSeconds(30)).until(() -> held() >= transactions);
    }

    private int held() throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                + " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")) {
            rows.next();
            return rows.getInt(1);
        }
    }

    /** Ends the transactions that stand at the gate: they roll back, as when the server notices that the client is gone. */
    void rollBack() throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                    + " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())");
        }
    }

    /** Opens the gate: those that stand there commit. */
    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
