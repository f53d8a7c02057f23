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
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Changes that wait for their comments. */
class WaitingChangesTest {

    private static double metric(TestPipeline pipeline, String name) throws Exception {
        Matcher value = Pattern.compile("^" + name + " (\\S+)$", Pattern.MULTILINE).matcher(pipeline.observe("metrics"));
        assertThat(value.find()).as(name).isTrue();
        return Double.parseDouble(value.group(1));
    }

    private static int count(Statement database, String sql) throws SQLException {
        try (ResultSet row = database.executeQuery(sql)) {
            row.next();
            return row.getInt(1);
        }
    }

    @Test
    void theMetricsHaveTheNumberOfWaitingChangesAndTheAgeOfTheOldest() throws Exception {
        String url = TestServers.newDatabase();
        try (EmbeddedBroker broker = EmbeddedBroker.startInMemory();
                TestPipeline pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", url, "POSTGRES_USER", "postgres",
                        "COMMENTS_ROLES", "comment-changes", "COMMENTS_CHANGE_WAIT", "3600000"));
                Connection connection = DriverManager.getConnection(url); Statement database = connection.createStatement()) {
            // makes the schema
            pipeline.bean("comments", PostgresDataSource.class).getConnection().close();
            UUID written = UUID.randomUUID();
            database.execute("INSERT INTO comments VALUES ('%s', 'p', 'u', 'Ann', 'Hi', NULL, now())".formatted(written));
            // the first is too late, the comment of the second is there
            database.execute("INSERT INTO comment_changes_waiting VALUES (gen_random_uuid(), 'erase', NULL, now(), now() - interval '2 hours'),"
                    + " ('%s', 'erase', NULL, now(), now() - interval '40 minutes'),".formatted(written)
                    + " (gen_random_uuid(), 'erase', NULL, now(), now() - interval '20 minutes'), (gen_random_uuid(), 'erase', NULL, now(), now())");
            await().atMost(Duration.ofSeconds(30)).until(() -> metric(pipeline, "comments_changes_waiting") == 2);
            assertThat(metric(pipeline, "comments_changes_waiting_age_seconds")).isBetween(1_200.0, 1_500.0);
            database.execute("DELETE FROM comment_changes_waiting");
            await().atMost(Duration.ofSeconds(30)).until(() -> metric(pipeline, "comments_changes_waiting_age_seconds") == 0);
        }
    }

    @Test
    void aChangeWhoseCommentCameTooLateIsAppliedAllTheSame() throws Exception {
        String url = TestServers.newDatabase();
        String changes = "SELECT count(*) FROM comments WHERE erased_at IS NOT NULL AND NOT EXISTS (SELECT FROM comment_quarantine)";
        try (EmbeddedBroker broker = EmbeddedBroker.startInMemory(); Connection connection = DriverManager.getConnection(url);
                Statement database = connection.createStatement()) {
            Map<String, String> settings = Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", url, "POSTGRES_USER", "postgres",
                    "COMMENTS_ROLES", "comment-changes");
            try (TestPipeline pipeline = TestPipeline.start(settings)) {
                pipeline.bean("comments", PostgresDataSource.class).getConnection().close();
                UUID late = UUID.randomUUID();
                database.execute("INSERT INTO comment_changes_waiting VALUES ('%s', 'erase', NULL, now(), now() - interval '2 hours')".formatted(late));
                await().atMost(Duration.ofSeconds(30)).until(() -> count(database, "SELECT count(*) FROM comment_quarantine") == 1);
                database.execute("INSERT INTO comments VALUES ('%s', 'p', 'u', 'Ann', 'Hi', NULL, now())".formatted(late));
            }
            try (TestPipeline next = TestPipeline.start(settings)) {
                await().atMost(Duration.ofSeconds(30)).until(() -> count(database, changes) == 1);
            }
        }
    }
}
