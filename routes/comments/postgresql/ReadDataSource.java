package comments.postgresql;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The pool of connections that read. They can't write, the database ends a statement that takes too long, and its planner
 * uses the indexes, in their order, as the statements are meant.
 *
 * <p>Behind a pooler such as PgBouncer the session is shared with writers. There the driver ends long statements, and the
 * planner decides by itself; settings of the reader's role ({@code ALTER ROLE … SET}) reach it.
 *
 * <p>When no thread got a connection in time, they are refused at once for a second: else every thread that reads would wait
 * for the database, one after the other.
 */
public class ReadDataSource extends PostgresDataSource {

    private static final int STATEMENT_TIMEOUT_SECONDS = 2;
    // Each query has one good plan, by its index and in its order. By default, the planner would plan each query again where posts
    // have many comments, and may sort all of these where its statistics are old.
    private static final String SESSION = "SET default_transaction_read_only = on; SET statement_timeout = '%ds';"
            + " SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off;"
            + " SET jit = off";
    private static final int WAIT_MILLIS = 500;
    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final ParameterCounts parameterCounts = new ParameterCounts();
    private volatile long awaySince = System.nanoTime() - PAUSE_NANOS;
    private volatile long lastGiven = System.nanoTime();

    public ReadDataSource() {
        setPoolName("comment-reads");
        addDataSourceProperty("ApplicationName", "comment-reader");
        setConnectionTimeout(WAIT_MILLIS);
        setValidationTimeout(WAIT_MILLIS);
        addDataSourceProperty("connectTimeout", "2");
        addDataSourceProperty("loginTimeout", "5");
        // longer than the statement's own, which ends it in order
        addDataSourceProperty("socketTimeout", Integer.toString(2 * STATEMENT_TIMEOUT_SECONDS));
    }

    @Override
    String session() {
        return SESSION.formatted(STATEMENT_TIMEOUT_SECONDS);
    }

    // Only there, because the driver's timer costs 2 µs a statement.
    @Override
    Map<String, String> pooled() {
        return Map.of("queryTimeout", Integer.toString(STATEMENT_TIMEOUT_SECONDS), "cancelSignalTimeout", "1");
    }

    /**
     * A connection from the pool.
     *
     * @throws ReadsPausedException if none was to be had less than a second ago
     */
    @Override
    public Connection getConnection() throws SQLException {
        if (System.nanoTime() - awaySince < PAUSE_NANOS) {
            throw new ReadsPausedException();
        }
        try {
            Connection connection = super.getConnection();
            lastGiven = System.nanoTime();
            return parameterCounts.of(connection);
        } catch (SQLException e) {
            // while other threads get connections, a thread that waits for too long waits for them, and not for the database
            if (!(e instanceof SQLTransientConnectionException)
                    || System.nanoTime() - lastGiven > TimeUnit.MILLISECONDS.toNanos(WAIT_MILLIS)) {
                awaySince = System.nanoTime();
            }
            throw e;
        }
    }
}
