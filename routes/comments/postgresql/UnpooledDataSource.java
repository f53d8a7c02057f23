package comments.postgresql;

import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.time.ZoneId;
import java.util.Properties;
import java.util.TimeZone;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.postgresql.Driver;
import org.postgresql.PGConnection;
import org.slf4j.LoggerFactory;

/**
 * Connects to PostgreSQL, each time anew, and checks what the server is. All connections that write come from here.
 *
 * <ul>
 * <li>A database that can't hold every character is refused: it would refuse comments later.
 * <li>A commit must be on disk when it returns, because a message is acknowledged then. So {@code synchronous_commit = off} of a
 * server, database or role does not count.
 * <li>The driver sends the JVM's time zone, and a server without a zone of this name refuses the connection. Nothing here
 * depends on it, so the JVM then takes another name of the zone, or else UTC.
 * <li>Behind a pooler, such as PgBouncer, another session may run each transaction. There, statements are not prepared on the
 * server.
 * </ul>
 *
 * <p>Any number of threads may call it.
 */
public final class UnpooledDataSource implements DataSource {

    private static final org.slf4j.Logger LOG = LoggerFactory.getLogger(UnpooledDataSource.class);
    private static final String UTF8 = "UTF8";
    private static final String UTC = "UTC";
    // object not in prerequisite state
    private static final String WRONG_SETTING = "55000";
    private static final String INVALID_PARAMETER_VALUE = "22023";
    private static final String CONNECTION_REJECTED = "08004";

    // by java.util.logging; a strong reference, because the level is lost with the logger
    private static final Logger DRIVER_LOG = Logger.getLogger(Driver.class.getName());

    static {
        // warns of a URL that it can't parse, and shows it, with a password in it
        DRIVER_LOG.setLevel(Level.OFF);
    }

    private final Driver driver = new Driver();
    private final String url;
    private final Properties properties = new Properties();
    private final Properties pooledProperties = new Properties();
    private final String session;
    // what the last connection was
    private volatile boolean pooled;
    private int loginTimeout;

    /**
     * Connects as a user.
     *
     * @param url the JDBC URL; what it sets takes precedence over the properties
     * @param properties of the driver
     * @param session a statement that each session of a server begins with, unless a pooler shares it with others; null for none
     */
    UnpooledDataSource(String url, String user, String password, Properties properties, String session) {
        this.session = session;
        this.url = strip(url);
        this.properties.putAll(properties);
        this.properties.setProperty("user", strip(user));
        this.properties.setProperty("password", strip(password));
        pooledProperties.putAll(this.properties);
        pooledProperties.setProperty("prepareThreshold", "0");
    }

    /** Connects as a user, within a few seconds. */
    public UnpooledDataSource(String url, String user, String password) {
        this(url, user, password, timeouts(), null);
    }

    /** Whether this is the JDBC URL of a PostgreSQL. */
    public static boolean isUrl(String url) {
        return Driver.parseURL(url, null) != null;
    }

    // a migration may take minutes, so there is no limit for a statement
    private static Properties timeouts() {
        Properties timeouts = new Properties();
        timeouts.setProperty("loginTimeout", "5");
        timeouts.setProperty("tcpKeepAlive", "true");
        return timeouts;
    }

    /** A value without the white space around it, such as the line break at the end of a mounted file. */
    static String strip(String value) {
        return value == null ? "" : value.strip();
    }

    @Override
    public Connection getConnection() throws SQLException {
        for (;;) {
            boolean expected = pooled;
            Connection connection = connect(expected ? pooledProperties : properties);
            try {
                requireEncoding(connection.unwrap(PGConnection.class).getParameterStatus("server_encoding"));
                boolean found = isPooled(connection);
                if (found == expected) {
                    requireDurableCommits(connection, found);
                    if (session != null && !found) {
                        execute(connection, session);
                    }
                    return connection;
                }
                pooled = found;
            } catch (SQLException e) {
                connection.close();
                throw e;
            }
            connection.close();
        }
    }

    /**
     * Requires that a database can hold every character.
     *
     * @throws SQLException if its encoding is another one than UTF-8
     */
    static void requireEncoding(String encoding) throws SQLException {
        if (!UTF8.equals(encoding)) {
            throw new SQLException("the database has the encoding %s, and must have %s".formatted(encoding, UTF8), WRONG_SETTING);
        }
    }

    /**
     * Requires that a commit is on disk when it returns. A session that no pooler shares with others is set so.
     *
     * @throws SQLException if it is not so behind a pooler
     */
    static void requireDurableCommits(Connection connection, boolean pooled) throws SQLException {
        if (!"off".equals(shown(connection, "synchronous_commit"))) {
            return;
        }
        if (pooled) {
            throw new SQLException("the database has synchronous_commit = off, and must have on: behind a pooler, it can't be set here",
                    WRONG_SETTING);
        }
        execute(connection, "SET synchronous_commit = on");
    }

    private static String shown(Connection connection, String setting) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet row = statement.executeQuery("SHOW " + setting)) {
            row.next();
            return row.getString(1);
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Whether a pooler is between a connection and the server: it answers the connect itself, with the id of no server process. */
    static boolean isPooled(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_backend_pid()")) {
            row.next();
            return row.getInt(1) != connection.unwrap(PGConnection.class).getBackendPID();
        }
    }

    private Connection connect(Properties properties) throws SQLException {
        for (;;) {
            String zone = TimeZone.getDefault().getID();
            try {
                Connection connection = driver.connect(url, properties);
                if (connection == null) {
                    throw new SQLException("not the JDBC URL of a PostgreSQL");
                }
                return connection;
            } catch (SQLException e) {
                if (!zone.equals(UTC) && refusesTimeZone(e.getMessage())) {
                    rename(zone);
                } else if (INVALID_PARAMETER_VALUE.equals(e.getSQLState())) {
                    // else it would count as an error in the data of a comment
                    throw new SQLException(e.getMessage(), CONNECTION_REJECTED, e);
                } else {
                    throw e;
                }
            }
        }
    }

    // the server's message, or that of PgBouncer, which does not name the parameter
    private static boolean refusesTimeZone(String message) {
        return message.contains("TimeZone") || message.contains("invalid server parameter");
    }

    // The driver always sends the default zone: it has no setting for it.
    private static synchronized void rename(String zone) {
        if (TimeZone.getDefault().getID().equals(zone)) {
            TimeZone.setDefault(TimeZone.getTimeZone(ZoneId.SHORT_IDS.getOrDefault(zone, UTC)));
            LOG.info("PostgreSQL has no time zone {}: this process uses {}", zone, TimeZone.getDefault().getID());
        }
    }

    /** The same: the user is that of the constructor. */
    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        return getConnection();
    }

    @Override
    public PrintWriter getLogWriter() {
        return null;
    }

    @Override
    public void setLogWriter(PrintWriter writer) {
        // the driver logs by java.util.logging
    }

    /**
     * Only kept for {@link #getLoginTimeout}, which is how long HikariCP waits at its end for a connection that is being made. The
     * properties of the driver have the timeouts: that of a pool would not let the second of two servers be tried.
     */
    @Override
    public void setLoginTimeout(int seconds) {
        loginTimeout = seconds;
    }

    @Override
    public int getLoginTimeout() {
        return loginTimeout;
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        return driver.getParentLogger();
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        throw new SQLFeatureNotSupportedException();
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return false;
    }
}
