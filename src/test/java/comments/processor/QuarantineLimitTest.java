package comments.processor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.EmbeddedBroker;
import comments.postgresql.PostgresDataSource;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How long the quarantine keeps what is in it. */
class QuarantineLimitTest {

    private EmbeddedBroker broker;
    private String url;

    @BeforeEach
    void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        url = TestServers.newDatabase();
    }

    @AfterEach
    void stop() {
        broker.close();
    }

    private TestPipeline pipeline(int days) throws Exception {
        return TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", url, "POSTGRES_USER", "postgres",
                "COMMENTS_ROLES", "comment-changes", "COMMENTS_QUARANTINE_DAYS", "" + days));
    }

    private static String bodies(Statement database) throws SQLException {
        try (ResultSet row = database.executeQuery("SELECT string_agg(convert_from(body, 'UTF8'), ' ' ORDER BY body) FROM comment_quarantine")) {
            row.next();
            return row.getString(1);
        }
    }

    @Test
    void whatIsOlderIsDeletedAndByDefaultNothingIs() throws Exception {
        try (Connection connection = DriverManager.getConnection(url); Statement database = connection.createStatement()) {
            try (TestPipeline forEver = pipeline(0)) {
                // makes the schema
                forEver.bean("comments", PostgresDataSource.class).getConnection().close();
                database.execute("INSERT INTO comment_quarantine (body, sqlstate, reason, quarantined_at) VALUES"
                        + " ('new', '22P02', 'r', now() - interval '29 days'), ('old', '22P02', 'r', now() - interval '31 days')");
                assertThat(forEver.context().getRoute("comment-changes-quarantine-limit")).isNull();
            }
            assertThat(bodies(database)).isEqualTo("new old");
            try (TestPipeline bounded = pipeline(30)) {
                await().until(() -> bodies(database).equals("new"));
            }
        }
    }
}
