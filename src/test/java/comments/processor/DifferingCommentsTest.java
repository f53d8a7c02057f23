package comments.processor;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.timeout;
import static org.mockito.Mockito.verify;

import io.micrometer.core.instrument.Metrics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.sql.SQLException;
import java.util.UUID;
import org.apache.camel.EndpointInject;
import org.apache.camel.builder.AdviceWithRouteBuilder;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.test.main.junit5.AdviceRouteMapping;
import org.apache.camel.test.main.junit5.CamelMainTest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Comments that bring the id of another comment, in the route file as it ships, with a database. */
@CamelMainTest(
        advices = {@AdviceRouteMapping(route = "comment-job-processor", advice = ProcessorDatabaseTest.Queues.class),
            @AdviceRouteMapping(route = "comment-job-processor-differing", advice = DifferingCommentsTest.Comparison.class)},
        properties = {"COMMENTS_ROLES=comment-job-processor", "POSTGRES_USER=postgres", "COMMENTS_BATCH_SIZE=1", "COMMENTS_RETRY_DELAY=10",
            "COMMENTS_RETRY_MAX_DELAY=20", "camel.metrics.enabled=false", "camel.management.enabled=false"})
class DifferingCommentsTest extends ProcessorDatabaseTest {

    private static final String ID = UUID.randomUUID().toString();
    private static final String COMMENT = """
            {"id":"%s","postId":"p","userId":"u","userName":"Ann","content":"Good","acceptedAt":"2026-11-22T15:00:00.123Z"}""".formatted(ID);
    private static final String IMPORTED = COMMENT.replaceFirst("\\{", "{\"imported\":true,");

    static class Comparison extends AdviceWithRouteBuilder {
        @Override
        public void configure() {
            weaveById("insert-differing").before().to("mock:compared");
        }
    }

    @EndpointInject("mock:compared")
    MockEndpoint compared;

    private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();

    @BeforeEach
    void count() {
        Metrics.addRegistry(metrics);
        compared.reset();
    }

    @AfterEach
    void endCount() {
        Metrics.removeRegistry(metrics);
    }

    /** Returns when the message is acknowledged. */
    private void receive(String... message) throws IOException {
        receive(("[" + String.join(",", message) + "]").getBytes(UTF_8), message.length);
        verify(channel, timeout(20_000)).basicAck(tag, true);
    }

    private String quarantined() throws SQLException {
        return text("SELECT string_agg(convert_from(body, 'UTF8'), ' ' ORDER BY body) FROM comment_quarantine");
    }

    private static String other() {
        return COMMENT.replace(ID, UUID.randomUUID().toString());
    }

    @Test
    void aCommentWithTheIdOfAnotherIsKeptOnceAsItCameAndWithTheReason() throws Exception {
        receive(COMMENT);
        String row = text("SELECT comments::text FROM comments");
        String differing = COMMENT.replace("Good", "Better");
        receive(other(), differing, other());
        receive(other(), differing);
        assertThat(quarantined()).isEqualTo(differing);
        assertThat(text("SELECT sqlstate || ': ' || reason FROM comment_quarantine"))
                .isEqualTo("23505: another comment has the id " + ID + ", with other contents");
        assertThat(text("SELECT comments::text FROM comments WHERE id = '" + ID + "'")).isEqualTo(row);
        assertThat(text("SELECT count(*) FROM comments")).isEqualTo("4");
        assertThat(metrics.get("comments.quarantined").counter().count()).isEqualTo(1);
    }

    @Test
    void eachFieldIsCompared() throws Exception {
        String parent = UUID.randomUUID().toString();
        String[] differing = {COMMENT.replace("\"p\"", "\"q\""), COMMENT.replace("\"u\"", "\"v\""), COMMENT.replace("Ann", "Bob"),
            COMMENT.replace("Good", "Better"), COMMENT.replace("{", "{\"parentId\":\"" + parent + "\","), IMPORTED.replace(".123Z", ".124Z")};
        receive(COMMENT);
        receive(differing);
        assertThat(quarantined().split(" (?=\\{)")).containsExactlyInAnyOrder(differing);
    }

    @Test
    void theSecondOfTwoCommentsOfOneBatchIsKept() throws Exception {
        receive(COMMENT, COMMENT.replace("Good", "Better"));
        assertThat(text("SELECT content FROM comments")).isEqualTo("Good");
        assertThat(quarantined()).contains("Better");
    }

    @Test
    void itIsFoundInABatchThatIsTakenApartToo() throws Exception {
        receive(IMPORTED);
        String differing = IMPORTED.replace("Good", "Better");
        receive(other(), differing, COMMENT.replace("Good", "\\u0000"), other());
        assertThat(quarantined()).contains(differing, "u0000");
        assertThat(text("SELECT count(*) FROM comments")).isEqualTo("3");
        assertThat(text("SELECT count(*) FROM comment_quarantine")).isEqualTo("2");
    }

    @Test
    void whatIsTheSameIsNotKept() throws Exception {
        receive(COMMENT);
        receive(COMMENT);
        receive(IMPORTED, IMPORTED);
        // as with an Idempotency-Key
        receive(COMMENT.replace("15:00", "15:01"));
        execute("UPDATE comments SET content = 'Edited', edited_at = now()");
        receive(COMMENT);
        execute("UPDATE comments SET content = '', user_id = '', user_name = '', erased_at = now()");
        receive(IMPORTED.replace("15:00", "15:01"));
        assertThat(quarantined()).isNull();
        assertThat(text("SELECT count(*) FROM comments")).isEqualTo("1");
        assertThat(compared.getReceivedCounter()).isEqualTo(5);
    }

    @Test
    void nothingIsComparedWhileAllAreInserted() throws Exception {
        receive(COMMENT, other());
        receive("{\"postId\":\"p\",\"userId\":\"u\",\"userName\":\"Ann\",\"content\":\"of another producer\"}");
        assertThat(text("SELECT count(*) FROM comments")).isEqualTo("3");
        assertThat(compared.getReceivedCounter()).isZero();
    }

    @Test
    void aFailureOfTheComparisonRepeatsTheBatch() throws Exception {
        receive(COMMENT);
        compared.whenExchangeReceived(1, exchange -> {
            throw new IllegalStateException("away");
        });
        receive(other(), COMMENT.replace("Good", "Better"));
        assertThat(compared.getReceivedCounter()).isEqualTo(2);
        assertThat(text("SELECT count(*) FROM comment_quarantine")).isEqualTo("1");
        assertThat(text("SELECT count(*) FROM comments")).isEqualTo("2");
    }
}
