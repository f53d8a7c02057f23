package comments;

import com.zaxxer.hikari.HikariDataSource;
import io.vertx.core.Context;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.CamelContextAware;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;

/**
 * The pool of connections to PostgreSQL. The first connection that is asked for also makes the schema, or brings it up to
 * date; Flyway's lock in the database lets any number of processes start at once.
 *
 * <p>Nothing is connected before the first use.
 */
public class CommentsDataSource extends HikariDataSource implements CamelContextAware {

    private static final String[] SCHEMA = {"V1__comments.sql", "V2__comment_quarantine.sql", "V3__reading.sql"};

    private CamelContext camelContext;
    private volatile boolean migrated;
    private boolean migrate = true;

    /** Connections that fail within a bounded time when the database is gone. */
    public CommentsDataSource() {
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

    /** Whether the first connection makes the schema. Without, it must be there. On by default. */
    public void setMigrate(boolean migrate) {
        this.migrate = migrate;
    }

    /**
     * A connection from the pool.
     *
     * @throws SQLException if none is to be had in time, or if the schema can't be made
     * @throws IllegalStateException on an event loop of the HTTP server, which must never wait for a database
     */
    @Override
    public Connection getConnection() throws SQLException {
        if (Context.isOnEventLoopThread()) {
            throw new IllegalStateException("a route on the event loop must not use the database");
        }
        if (migrate && !migrated) {
            migrate();
        }
        return super.getConnection();
    }

    private synchronized void migrate() throws SQLException {
        if (migrated) {
            return;
        }
        try {
            Flyway.configure()
                    .dataSource(getJdbcUrl(), getUsername(), getPassword())
                    .locations(new String[0])
                    .javaMigrations(Stream.of(SCHEMA)
                            .map(script -> new SqlScript(script, RouteFile.read(camelContext, script)))
                            .toArray(SqlScript[]::new))
                    .load()
                    .migrate();
        } catch (FlywayException e) {
            throw e.getCause() instanceof SQLException cause ? cause : new SQLException("the schema can't be made", e);
        }
        migrated = true;
    }

    @Override
    public void setCamelContext(CamelContext camelContext) {
        this.camelContext = camelContext;
    }

    @Override
    public CamelContext getCamelContext() {
        return camelContext;
    }
}
