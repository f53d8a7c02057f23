package comments.postgresql;

import com.zaxxer.hikari.HikariDataSource;
import comments.http.HttpEngine;
import java.sql.Connection;
import java.sql.SQLException;

/**
 * The pool of connections to PostgreSQL. Nothing is connected before the first use, which also makes the schema if this is
 * given one.
 */
public class PostgresDataSource extends HikariDataSource {

    private SchemaMigration schema;

    /** Connections that fail within a bounded time when the database is gone. */
    public PostgresDataSource() {
        setPoolName("comments");
        setConnectionTimeout(5_000);
        // as text: the driver knows no other values, and ignores them
        addDataSourceProperty("ApplicationName", "comments");
        addDataSourceProperty("connectTimeout", "5");
        addDataSourceProperty("socketTimeout", "60");
        addDataSourceProperty("tcpKeepAlive", "true");
        // idle processes hold no connections that they don't need
        setMinimumIdle(0);
    }

    /** What must be there before a connection is of use. By default nothing. */
    public void setMigration(SchemaMigration schema) {
        this.schema = schema;
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
        return super.getConnection();
    }
}
