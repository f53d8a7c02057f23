package comments.processor;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.timeout;
import static org.mockito.Mockito.verify;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.apache.camel.EndpointInject;
import org.apache.camel.Exchange;
import org.apache.camel.builder.AdviceWithRouteBuilder;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.test.main.junit5.AdviceRouteMapping;
import org.apache.camel.test.main.junit5.CamelMainTest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is notified of comments whose rows are erased, or those of other comments, in the route file as it ships, with a database. */
@CamelMainTest(
        advices = {@AdviceRouteMapping(route = "comment-job-processor", advice = ProcessorDatabaseTest.Queues.class),
            @AdviceRouteMapping(route = "comment-job-processor-insert", advice = UnwrittenCommentsTest.Inserts.class)},
        properties = {"COMMENTS_ROLES=comment-job-processor", "POSTGRES_USER=postgres", "COMMENTS_BATCH_SIZE=1", "COMMENTS_RETRY_DELAY=10",
            "COMMENTS_RETRY_MAX_DELAY=20", "NOTIFICATIONS_IMPORTS=true", "camel.metrics.enabled=false", "camel.management.enabled=false"})
class UnwrittenCommentsTest extends ProcessorDatabaseTest {

    private static final String BAD = comment("bad").replace("Good", "\\u0000");

    static class Inserts extends AdviceWithRouteBuilder {
        @Override
        public void configure() {
            weaveById("insert-half").after().to("mock:halves");
        }
    }

    @EndpointInject("mock:notifications")
    MockEndpoint notifications;

    @EndpointInject("mock:halves")
    MockEndpoint halves;

    @BeforeEach
    void forget() throws SQLException {
        notifications.reset();
        halves.reset();
        execute("TRUNCATE user_erasures, comment_changes_waiting");
    }

    private static String comment(String user) {
        return """
                {"id":"%s","postId":"p","userId":"%s","userName":"Ann","content":"Good","acceptedAt":"2026-11-22T15:00:00.123Z"}"""
                .formatted(UUID.randomUUID(), user);
    }

    /** As with an Idempotency-Key: a comment that is posted again is accepted later. */
    private static String again(String comment) {
        return comment.replace("15:00", "15:01");
    }

    /** Sends one message; returns the users of the comments that were notified. */
    private List<String> notified(String... message) throws IOException {
        notifications.reset();
        receive(("[" + String.join(",", message) + "]").getBytes(UTF_8), message.length);
        verify(channel, timeout(20_000)).basicAck(tag, true);
        List<String> users = new ArrayList<>();
        for (Exchange exchange : notifications.getExchanges()) {
            JsonNode listed = new ObjectMapper().readTree(exchange.getMessage().getBody(byte[].class));
            assertThat(exchange.getMessage().getHeader("commentCount")).isEqualTo(listed.size());
            listed.forEach(comment -> users.add(comment.path("userId").asText()));
        }
        return users;
    }

    private void erase(String user) throws SQLException {
        execute("UPDATE comments SET content = '', user_id = '', user_name = '', erased_at = now() WHERE user_id = '" + user + "'");
    }

    @Test
    void anErasedCommentThatIsPostedOrImportedAgainIsNotNotified() throws Exception {
        String erased = comment("erased");
        assertThat(notified(comment("a"), erased)).containsExactly("a", "erased");
        erase("erased");
        assertThat(notified(again(erased))).isEmpty();
        assertThat(notified(comment("b"), erased, again(erased), comment("c"))).containsExactly("b", "c");
        assertThat(notified(erased.replaceFirst("\\{", "{\"imported\":true,"))).isEmpty();
    }

    @Test
    void anErasedCommentOfAnotherProducerIsNotNotifiedAgain() throws Exception {
        String foreign = "{\"postId\":\"p\",\"userId\":\"foreign\",\"userName\":\"Ann\",\"content\":\"without an id\"}";
        assertThat(notified(foreign)).containsExactly("foreign");
        erase("foreign");
        assertThat(notified(comment("a"), foreign)).containsExactly("a");
    }

    @Test
    void aCommentWithTheIdOfAnotherIsNotNotified() throws Exception {
        String comment = comment("a");
        notified(comment);
        String differing = comment.replaceFirst("\\{", "{\"imported\":true,").replace("\"a\"", "\"differing\"").replace("\"p\"", "\"q\"");
        assertThat(notified(differing)).isEmpty();
        // also when it is in quarantine already, as after a crash, and between others
        assertThat(notified(comment("b"), differing, comment("c"))).containsExactly("b", "c");
        assertThat(number("SELECT count(*) FROM comment_quarantine")).isEqualTo(1);
    }

    @Test
    void ofTwoCommentsWithOneIdInOneBatchTheWrittenOneIsNotified() throws Exception {
        String comment = comment("written");
        assertThat(notified(comment, comment.replace("written", "differing"), comment)).containsExactly("written", "written");
    }

    @Test
    void aCommentThatIsWrittenAndDeliveredAgainIsNotifiedAgain() throws Exception {
        String comment = comment("a");
        String edited = comment("edited");
        assertThat(notified(comment, edited)).containsExactly("a", "edited");
        execute("UPDATE comments SET content = 'Edited', edited_at = now() WHERE user_id = 'edited'");
        assertThat(notified(comment, again(edited), comment("b"))).containsExactly("a", "edited", "b");
    }

    @Test
    void theSameHoldsForABatchThatIsTakenApart() throws Exception {
        String written = comment("written");
        String erased = comment("erased");
        notified(written, erased);
        erase("erased");
        String differing = written.replace("\"written\"", "\"differing\"");
        assertThat(notified(BAD, comment("a"), erased, BAD, written, BAD, differing, comment("b"), BAD, erased)).containsExactly("a", "written", "b");
        assertThat(notified(erased, BAD, differing)).isEmpty();
        assertThat(number("SELECT count(*) FROM comment_quarantine WHERE sqlstate = '23505'")).isEqualTo(1);
        assertThat(number("SELECT count(*) FROM comments")).isEqualTo(4);
    }

    @Test
    void eachAttemptDecidesAnew() throws Exception {
        String erased = comment("erased");
        notified(erased);
        erase("erased");
        // as if the retention had deleted it meanwhile
        halves.whenExchangeReceived(1, exchange -> {
            execute("DELETE FROM comments WHERE erased_at IS NOT NULL");
            throw new IllegalStateException("away");
        });
        assertThat(notified(erased, comment("a"), BAD)).containsExactly("erased", "a");
        assertThat(number("SELECT count(*) FROM comments")).isEqualTo(2);
    }

    @Test
    void aCommentThatIsErasedAsItComesIsNotNotified() throws Exception {
        execute("INSERT INTO user_erasures VALUES (sha256(convert_to('gone', 'UTF8')), '2026-11-22T16:00:00Z')");
        String gone = comment("gone");
        assertThat(notified(comment("a"), gone, comment("b"))).containsExactly("a", "b");
        assertThat(notified(gone)).isEmpty();
        assertThat(text("SELECT concat(user_id, user_name, content, erased_at AT TIME ZONE 'UTC') FROM comments WHERE erased_at IS NOT NULL"))
                .isEqualTo("2026-11-22 16:00:00");
        // that is told of as a change
        assertThat(text("SELECT string_agg(concat(kind, ' ', id), ',') FROM comment_changes_waiting")).isEqualTo("erase " + gone.substring(7, 43));
        // what she posts later stays
        assertThat(notified(comment("gone").replace("15:00", "17:00"))).containsExactly("gone");
    }
}
