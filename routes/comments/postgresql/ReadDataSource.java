package comments.postgresql;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.concurrent.TimeUnit;

/**
 * The pool of connections that read. They can't write, a statement that takes too long is ended by the database, and its
 * planner goes by the indexes, in their order, as the statements are meant to.
 *
 * <p>When nobody got a connection in time, they are refused at once for a second: else every thread that reads would wait for
 * the database, one after the other.
 */
public class ReadDataSource extends PostgresDataSource {

    private static final int STATEMENT_TIMEOUT_SECONDS = 2;
    // There is one good way to answer each query, by its index and in its order. Left to itself, the planner would plan each of
    // them again where posts have many comments, and may sort all of those where its statistics are old.
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
        // longer than the statement's own, which ends it in order
        addDataSourceProperty("socketTimeout", Integer.toString(2 * STATEMENT_TIMEOUT_SECONDS));
        setConnectionInitSql(SESSION.formatted(STATEMENT_TIMEOUT_SECONDS));
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
            // who waits for too long while others get theirs waits for them, and not for the database
            if (!(e instanceof SQLTransientConnectionException)
                    || System.nanoTime() - lastGiven > TimeUnit.MILLISECONDS.toNanos(WAIT_MILLIS)) {
                awaySince = System.nanoTime();
            }
            throw e;
        }
    }
}
