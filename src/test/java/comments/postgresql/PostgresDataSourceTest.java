package comments.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import comments.support.TestServers;
import java.sql.Connection;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class PostgresDataSourceTest {

    static Stream<Arguments> pools() {
        return Stream.of(Arguments.of(new PostgresDataSource(), Duration.ofSeconds(60)),
                Arguments.of(new ReadDataSource(), Duration.ofSeconds(4)));
    }

    /** A database that answers nothing any more keeps nobody for longer. */
    @ParameterizedTest
    @MethodSource("pools")
    void theDriverKnowsTheTimeouts(PostgresDataSource pool, Duration timeout) throws Exception {
        try (pool) {
            pool.setJdbcUrl(TestServers.newDatabase());
            try (Connection connection = pool.getConnection()) {
                assertThat(connection.getNetworkTimeout()).isEqualTo((int) timeout.toMillis());
            }
        }
    }
}
