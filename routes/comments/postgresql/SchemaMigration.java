package comments.postgresql;

import static java.util.stream.Collectors.toSet;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.MatchResult;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.CamelContextAware;
import org.apache.camel.support.ResourceHelper;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.MigrationInfoService;
import org.flywaydb.core.api.MigrationVersion;
import org.flywaydb.core.api.configuration.FluentConfiguration;

/**
 * Makes the schema, or brings it up to date, once in a process, when a connection is first asked for. Locks in the
 * database let any number of processes start at once.
 *
 * <p>The schema may have tables of other applications. Its history is in {@value #HISTORY}; only databases of former versions
 * have it in {@value #FORMER_HISTORY}, where other applications that use Flyway have theirs.
 *
 * <p>An index on a table that is there already is built before its version and after the versions before, while other processes write to the
 * table; if that was broken off, it is built again. A column and its index are two versions. An index that is replaced is dropped in the
 * same way, by the first start a day after the version that replaces it, which is the one before: processes of the former version read by it
 * until they are replaced, too. Behind a pooler, which has no
 * sessions to lock, both are done with their version, and writers wait.
 *
 * <p>Any number of threads may call it.
 */
public class SchemaMigration implements CamelContextAware {

    private static final String HISTORY = "comments_schema_history";
    private static final String FORMER_HISTORY = "flyway_schema_history";
    // of another application, it may be unreadable
    private static final String FIND_FORMER_HISTORY = """
            SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = '%s'
            AND has_table_privilege(format('%%I.%%I', schemaname, tablename), 'SELECT')""".formatted(FORMER_HISTORY);
    private static final String FIND_FIRST_VERSION = "SELECT count(*) FROM %s WHERE version = '1' AND checksum = %d";

    private static final String FIND_TABLE = "SELECT count(to_regclass('%s'))";
    private static final String FIND_INVALID_INDEX =
            "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('%s') AND NOT indisvalid";
    // any number, the same in all processes
    private static final String LOCK = "SELECT pg_try_advisory_lock(hashtext('comments: build indexes'))::int";
    private static final int LOCK_POLL_MILLIS = 500;
    // how long processes of the former version may run beside those of the new one
    private static final Duration REPLACEMENT = Duration.ofDays(1);

    private final ReentrantLock lock = new ReentrantLock();
    private CamelContext camelContext;
    private volatile boolean made;
    private boolean migrate = true;
    private String[] scripts = {};
    private String privileges;
    private int retentionDays;
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

    /** The scripts on the class path, in their order, separated by commas, each named as Flyway has it: {@code sql/V1__comments.sql}. */
    public void setScripts(String scripts) {
        this.scripts = scripts.split("\\s*,\\s*");
    }

    /** A script that follows each migration, and restricts who may use what. By default none. */
    public void setPrivileges(String privileges) {
        this.privileges = privileges;
    }

    /** How long rows are kept, in days, which the script of privileges finds as {@code comments.retention_days}. 0, the default: for ever. */
    public void setRetentionDays(int retentionDays) {
        this.retentionDays = retentionDays;
    }

    /** Whether the schema is made, unless {@code false}. With {@code false}, it must be there. Made by default. */
    public void setMigrate(String migrate) {
        this.migrate = !migrate.equals("false");
    }

    /** Whether there is nothing to wait for. */
    boolean isMade() {
        return !migrate || made;
    }

    /**
     * Returns when the schema is there.
     *
     * @param millis how long to wait for another thread that makes it
     * @throws SQLException if it can't be made, or is not made in time
     */
    public void await(long millis) throws SQLException {
        if (isMade()) {
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
        UnpooledDataSource database = new UnpooledDataSource(jdbcUrl, username, password);
        SqlScript[] versions = Stream.of(scripts).map(this::script).toArray(SqlScript[]::new);
        try (Connection connection = database.getConnection(); Statement statement = connection.createStatement()) {
            FluentConfiguration flyway = Flyway.configure()
                    .dataSource(database)
                    .table(hasFormerHistory(statement, versions[0]) ? FORMER_HISTORY : HISTORY)
                    // where the schema has tables of others
                    .baselineOnMigrate(true)
                    .baselineVersion("0")
                    // versions that drop indexes wait for a day, and others don't wait for them
                    .outOfOrder(true)
                    .locations(new String[0])
                    .javaMigrations(versions);
            boolean locks = !UnpooledDataSource.isPooled(connection);
            if (locks && flyway.load().info().pending().length > 0) {
                lock(statement);
            }
            MigrationInfoService history = flyway.load().info();
            Set<MigrationVersion> missing = Stream.of(history.pending()).map(MigrationInfo::getVersion).collect(toSet());
            List<SqlScript> pending = Stream.of(versions).filter(version -> missing.contains(version.getVersion())).toList();
            List<SqlScript> due = pending.stream().filter(version -> version.droppedIndexes().isEmpty()
                    || pending.contains(versions[0]) || isReplaced(history, versions[List.of(versions).indexOf(version) - 1])).toList();
            if (locks && !pending.contains(versions[0])) {
                for (SqlScript version : due) {
                    if (version.changesIndexes()) {
                        // its index may need columns of these
                        List<SqlScript> before = due.subList(0, due.indexOf(version));
                        migrate(flyway, Stream.of(versions).filter(other -> before.contains(other) || !pending.contains(other)));
                        changeIndexes(statement, version);
                    }
                }
            }
            migrate(flyway, Stream.of(versions).filter(version -> due.contains(version) || !pending.contains(version)));
            if (privileges != null) {
                // one transaction, also behind a pooler
                statement.execute("SELECT set_config('comments.retention_days', '%d', true); %s".formatted(retentionDays, text(privileges)));
            }
        } catch (FlywayException e) {
            throw e.getCause() instanceof SQLException cause ? cause : new SQLException("the schema can't be made", e);
        }
    }

    // Released at the end of the session. Without it, two processes that build indexes of one table would wait for each other.
    private static void lock(Statement statement) throws SQLException {
        try {
            while (!finds(statement, LOCK)) {
                Thread.sleep(LOCK_POLL_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SQLTransientConnectionException("interrupted while another process makes the schema", e);
        }
    }

    private static boolean hasFormerHistory(Statement statement, SqlScript first) throws SQLException {
        return finds(statement, FIND_FORMER_HISTORY)
                && finds(statement, FIND_FIRST_VERSION.formatted(FORMER_HISTORY, first.getChecksum()));
    }

    // whether a version is so old that no process of the one before it runs
    private static boolean isReplaced(MigrationInfoService history, SqlScript version) {
        return Stream.of(history.applied()).filter(applied -> version.getVersion().equals(applied.getVersion()))
                .anyMatch(applied -> applied.getInstalledOn().toInstant().isBefore(Instant.now().minus(REPLACEMENT)));
    }

    private static void migrate(FluentConfiguration flyway, Stream<SqlScript> versions) {
        flyway.javaMigrations(versions.toArray(SqlScript[]::new)).load().migrate();
    }

    private static void changeIndexes(Statement statement, SqlScript version) throws SQLException {
        for (MatchResult index : version.indexes()) {
            if (finds(statement, FIND_TABLE.formatted(index.group(2)))) {
                buildIndex(statement, index);
            }
        }
        for (String index : version.droppedIndexes()) {
            statement.execute("DROP INDEX CONCURRENTLY IF EXISTS " + index);
        }
    }

    private static void buildIndex(Statement statement, MatchResult index) throws SQLException {
        // of a build that was broken off
        if (finds(statement, FIND_INVALID_INDEX.formatted(index.group(1)))) {
            statement.execute("DROP INDEX CONCURRENTLY " + index.group(1));
        }
        statement.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS %s ON %s %s"
                .formatted(index.group(1), index.group(2), index.group(3)));
    }

    private static boolean finds(Statement statement, String count) throws SQLException {
        try (ResultSet row = statement.executeQuery(count)) {
            return row.next() && row.getInt(1) > 0;
        }
    }

    private SqlScript script(String name) {
        return new SqlScript(name.substring(name.lastIndexOf('/') + 1), text(name));
    }

    private String text(String name) {
        try (InputStream file = ResourceHelper.resolveMandatoryResourceAsInputStream(camelContext, "classpath:" + name)) {
            return new String(file.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
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
