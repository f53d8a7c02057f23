package comments.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import comments.support.TestServers;
import java.sql.Connection;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class PostgresDataSourceTest {

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
