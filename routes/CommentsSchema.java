package comments;

import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.CamelContextAware;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;

/**
 * Makes the schema, or brings it up to date, once in a process, when a connection is first asked for; Flyway's lock in the
 * database lets any number of processes start at once.
 *
 * <p>Any number of threads may call it.
 */
public class CommentsSchema implements CamelContextAware {

    private static final String[] SCRIPTS = {"V1__comments.sql", "V2__comment_quarantine.sql", "V3__reading.sql"};
    // a migration may take minutes, so none for what a statement takes
    private static final Map<String, String> TIMEOUTS = Map.of("loginTimeout", "5", "tcpKeepAlive", "true");

    private final ReentrantLock lock = new ReentrantLock();
    private CamelContext camelContext;
    private volatile boolean made;
    private boolean migrate = true;
    private String jdbcUrl;
    private String username;
    private String password;

    /** Where the database is. */
    public void setJdbcUrl(String jdbcUrl) {
        this.jdbcUrl = jdbcUrl;
    }

    /** The role that owns the schema. */
    public void setUsername(String username) {
        this.username = username;
    }

    /** Its password. */
    public void setPassword(String password) {
        this.password = password;
    }

    /** Whether the schema is made. Without, it must be there. On by default. */
    public void setMigrate(boolean migrate) {
        this.migrate = migrate;
    }

    /**
     * Returns when the schema is there.
     *
     * @param millis how long to wait for another thread that makes it
     * @throws SQLException if it can't be made, or is not made in time
     */
    void await(long millis) throws SQLException {
        if (!migrate || made) {
            return;
        }
        try {
            if (!lock.tryLock(millis, TimeUnit.MILLISECONDS)) {
                throw new SQLTransientConnectionException("the schema is not made yet");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SQLTransientConnectionException("interrupted while the schema is made", e);
        }
        try {
            if (!made) {
                make();
                made = true;
            }
        } finally {
            lock.unlock();
        }
    }

    private void make() throws SQLException {
        try {
            Flyway.configure()
                    .dataSource(jdbcUrl, username, password)
                    .jdbcProperties(TIMEOUTS)
                    .locations(new String[0])
                    .javaMigrations(Stream.of(SCRIPTS)
                            .map(script -> new SqlScript(script, RouteFile.read(camelContext, script)))
                            .toArray(SqlScript[]::new))
                    .load()
                    .migrate();
        } catch (FlywayException e) {
            throw e.getCause() instanceof SQLException cause ? cause : new SQLException("the schema can't be made", e);
        }
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
