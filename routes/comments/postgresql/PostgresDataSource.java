package comments.postgresql;

import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.SQLExceptionOverride;
import comments.http.HttpEngine;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Properties;
import java.util.Set;
import org.postgresql.Driver;

/**
 * The pool of connections to PostgreSQL. Nothing is connected before the first use, which also makes the schema if this is
 * given one.
 */
public class PostgresDataSource extends HikariDataSource {

    // The server gives up before the client does (socketTimeout): else a statement that waits for a lock goes on waiting without its client,
    // and each attempt leaves another one, until the server takes no more connections. A process whose machine is cut off between an insert
    // and its commit would lock its comments for the others, for as long as TCP takes. What the URL or the role sets stays.
    private static final String SESSION = """
            SELECT set_config(name, '%ds', false) FROM pg_settings
            WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout') AND setting = '0'
              AND source NOT IN ('client', 'user', 'database', 'database user')""";
    private static final int EARLIER_SECONDS = 5;
    // of a server that became a standby (read_only_sql_transaction); the pool itself has those of a server that ends
    private static final Set<String> FATAL = Set.of("25006");
    // more than comment-changes needs, for its batches and its timers
    private static final int OTHER_CONNECTIONS = 10;

    private SchemaMigration schema;

    /** Connections that fail within a bounded time when the database is gone. */
    public PostgresDataSource() {
        setPoolName("comments");
        setConnectionTimeout(5_000);
        // as text: the driver ignores all other values
        addDataSourceProperty("ApplicationName", "comments");
        addDataSourceProperty("connectTimeout", "5");
        // of two servers, the second is tried when the first does not answer
        addDataSourceProperty("loginTimeout", "11");
        addDataSourceProperty("hostRecheckSeconds", "2");
        addDataSourceProperty("socketTimeout", "60");
        addDataSourceProperty("tcpKeepAlive", "true");
        // idle processes hold no connections that they don't need
        setMinimumIdle(0);
        setExceptionOverride(new SQLExceptionOverride() {
            @java.lang.Override
            public Override adjudicate(SQLException failure) {
                return FATAL.contains(failure.getSQLState()) ? Override.MUST_EVICT : Override.CONTINUE_EVICT;
            }
        });
    }

    /** What must be there before a connection is of use. By default nothing. */
    public void setMigration(SchemaMigration schema) {
        this.schema = schema;
    }

    /**
     * How many threads write batches of comments at once, each with a connection; 0 means one per core. Changes of comments have
     * connections beside these.
     */
    public void setWriters(int writers) {
        setMaximumPoolSize((writers > 0 ? writers : Runtime.getRuntime().availableProcessors()) + OTHER_CONNECTIONS);
    }

    /**
     * A connection from the pool.
     *
     * @throws SQLException if none is to be had in time, or if the schema can't be made
     * @throws IllegalStateException on an event loop of the HTTP server, which must never wait for a database
     */
    @Override
    public Connection getConnection() throws SQLException {
        if (HttpEngine.isEventLoop()) {
            throw new IllegalStateException("a route on the event loop must not use the database");
        }
        if (schema != null) {
            schema.await(getConnectionTimeout());
        }
        if (getDataSource() == null) {
            connectUnpooled();
        }
        return super.getConnection();
    }

    // null without a time after which the client gives up, or with a very short one
    private String session() {
        Properties all = Driver.parseURL(UnpooledDataSource.strip(getJdbcUrl()), getDataSourceProperties());
        String seconds = all == null ? "" : all.getProperty("socketTimeout", "");
        return seconds.matches("\\d{1,8}") && Integer.parseInt(seconds) > EARLIER_SECONDS
                ? SESSION.formatted(Integer.parseInt(seconds) - EARLIER_SECONDS) : null;
    }

    private synchronized void connectUnpooled() {
        if (getDataSource() == null) {
            setDataSource(new UnpooledDataSource(getJdbcUrl(), getUsername(), getPassword(), getDataSourceProperties(), session()));
        }
    }
}
