package comments.postgresql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import comments.support.TestServers;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the pool of the writers does with connections. */
class WriterPoolTest {

    private final PostgresDataSource pool = new PostgresDataSource();
    private String url;

    @BeforeEach
    void create() throws Exception {
        url = TestServers.newDatabase();
        pool.setJdbcUrl(url);
    }

    @AfterEach
    void close() {
        pool.close();
    }

    private void write() throws SQLException {
        try (Connection connection = pool.getConnection(); Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE IF NOT EXISTS written (id int)");
        }
    }

    private static void execute(String url, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url); Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** As that of a primary which became a standby: the session stays, and can't write. */
    @Test
    void aSessionThatCanOnlyReadLeavesThePool() throws Exception {
        String database = "\"%s\"".formatted(url.replaceFirst(".*/(test\\d+).*", "$1"));
        String neighbour = TestServers.newDatabase();
        execute(neighbour, "ALTER DATABASE %s SET default_transaction_read_only = on".formatted(database));
        assertThatThrownBy(this::write).hasMessageContaining("read-only");
        execute(neighbour, "ALTER DATABASE %s RESET default_transaction_read_only".formatted(database));
        write();
    }

    @ParameterizedTest
    @CsvSource({"24, 24", "1, 1"})
    void eachWriterHasAConnection(int writers, int connections) throws Exception {
        pool.setWriters(writers);
        List<Connection> open = new ArrayList<>();
        try {
            for (int i = 0; i < connections; i++) {
                open.add(pool.getConnection());
            }
            assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isEqualTo(connections);
        } finally {
            for (Connection connection : open) {
                connection.close();
            }
        }
    }

    @Test
    void zeroWritersMeansOnePerCore() {
        pool.setWriters(0);
        assertThat(pool.getMaximumPoolSize()).isGreaterThanOrEqualTo(Runtime.getRuntime().availableProcessors());
    }
}
