package comments.reader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.support.TestPipeline;
import java.net.http.HttpRequest;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a reader skips when it has a retention. */
class RetentionReadTest extends ReaderFixture {

    private static String page(TestPipeline reader) throws Exception {
        return reader.send(HttpRequest.newBuilder(reader.uri("/comments?postId=p"))).body();
    }

    /** Their entries in the index stay until VACUUM removes them. */
    @Test
    void periodsFromBeforeAreNotRead() throws Exception {
        execute("INSERT INTO comments (id, post_id, user_id, user_name, content, accepted_at) SELECT gen_random_uuid(), 'p', 'u', 'Ann', 'c' || days,"
                + " now() - days * interval '1 day' FROM unnest(ARRAY[1, 29, 400]) AS days");
        assertThat(get("/comments?postId=p").body()).contains("c1\"", "c29", "c400");
        try (TestPipeline reader = TestPipeline.start(Map.of("COMMENTS_ROLES", "comment-reader", "POSTGRES_URL", database,
                "POSTGRES_USER", "postgres", "RABBITMQ_URI", "amqp://127.0.0.1:1", "COMMENTS_RETENTION", "30"))) {
            await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> assertThat(page(reader)).contains("c1\"", "c29").doesNotContain("c400"));
        }
        assertThat(periods("30")).isEqualTo(2);
        assertThat(periods("0")).isEqualTo(3);
        assertThat(periods("")).isEqualTo(3);
    }

    // those that have comments
    private static long periods(String days) throws SQLException {
        execute("SET comments.retention_days = '" + days + "'");
        try (var statement = connection.createStatement(); var row = statement.executeQuery("SELECT count(*) FROM comment_periods"
                + " WHERE start IN (SELECT date_bin('28 days', accepted_at, '2000-01-03Z') FROM comments)")) {
            row.next();
            return row.getLong(1);
        }
    }
}
