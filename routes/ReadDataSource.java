package comments;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;

/**
 * The pool of connections that read. They can't write, and a statement that takes too long is ended by the database.
 *
 * <p>When no connection is to be had in time, the next ones are refused at once for a while: else every thread that reads
 * would wait for the database, one after the other.
 */
public class ReadDataSource extends CommentsDataSource {

    private static final int STATEMENT_TIMEOUT_SECONDS = 2;
    private static final int WAIT_MILLIS = 500;
    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private volatile long awaySince = System.nanoTime() - PAUSE_NANOS;

    public ReadDataSource() {
        setPoolName("comment-reads");
        setConnectionTimeout(WAIT_MILLIS);
        setValidationTimeout(WAIT_MILLIS);
        // longer than the statement's own, which ends it in order
        addDataSourceProperty("socketTimeout", 2 * STATEMENT_TIMEOUT_SECONDS);
        setConnectionInitSql("SET default_transaction_read_only = on; SET statement_timeout = '%ds'"
                .formatted(STATEMENT_TIMEOUT_SECONDS));
    }

    /**
     * A connection from the pool.
     *
     * @throws ReadsPaused if none was to be had less than a second ago
     */
    @Override
    public Connection getConnection() throws SQLException {
        if (System.nanoTime() - awaySince < PAUSE_NANOS) {
            throw new ReadsPaused();
        }
        try {
            return super.getConnection();
        } catch (SQLException e) {
            awaySince = System.nanoTime();
            throw e;
        }
    }
}
