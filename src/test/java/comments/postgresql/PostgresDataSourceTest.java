package comments.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import comments.support.TestServers;
import java.sql.Connection;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PostgresDataSourceTest {

    private static String setting(String url, String name) throws Exception {
        try (PostgresDataSource pool = new PostgresDataSource()) {
            pool.setJdbcUrl(url);
            try (Connection connection = pool.getConnection(); var statement = connection.createStatement(); var row = statement.executeQuery("SHOW " + name)) {
                row.next();
                return row.getString(1);
            }
        }
    }

    /** Else it would wait for a lock, or hold locks, long after its client has gone. */
    @ParameterizedTest
    @ValueSource(strings = {"statement_timeout", "idle_in_transaction_session_timeout"})
    void theServerGivesUpBeforeTheDriverUnlessTheUrlSaysOtherwise(String name) throws Exception {
        String url = TestServers.newDatabase();
        assertThat(setting(url, name)).isEqualTo("55s");
        assertThat(setting(url + "&options=-c%20" + name + "=7s", name)).isEqualTo("7s");
        assertThat(setting(url + "&options=-c%20" + name + "=0", name)).isEqualTo("0");
        assertThat(setting(url + "&socketTimeout=300", name)).isEqualTo("295s");
        assertThat(setting(url + "&socketTimeout=0", name)).isEqualTo("0");
    }

    /** A database that answers nothing any more holds no thread for longer. */
    @Test
    void theDriverHasTheTimeout() throws Exception {
        try (PostgresDataSource pool = new PostgresDataSource()) {
            pool.setJdbcUrl(TestServers.newDatabase());
            try (Connection connection = pool.getConnection()) {
                assertThat(connection.getNetworkTimeout()).isEqualTo((int) Duration.ofSeconds(60).toMillis());
            }
        }
    }
}
