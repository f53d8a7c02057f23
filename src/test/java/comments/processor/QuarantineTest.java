package comments.processor;

import static java.nio.charset.StandardCharsets.UTF_16;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.anyBoolean;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.timeout;
import static org.mockito.Mockito.verify;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.apache.camel.BeanInject;
import org.apache.camel.CamelContext;
import org.apache.camel.EndpointInject;
import org.apache.camel.Exchange;
import org.apache.camel.component.bean.BeanComponent;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.test.main.junit5.AdviceRouteMapping;
import org.apache.camel.test.main.junit5.CamelMainTest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Comments that the database refuses, in the route file as it ships, with a database. */
@CamelMainTest(
        advices = @AdviceRouteMapping(route = "comment-job-processor", advice = ProcessorDatabaseTest.Queues.class),
        properties = {"COMMENTS_ROLES=comment-job-processor", "POSTGRES_USER=postgres", "COMMENTS_BATCH_INTERVAL=600000", "COMMENTS_RETRY_DELAY=10",
            "COMMENTS_RETRY_MAX_DELAY=20", "camel.metrics.enabled=false", "camel.management.enabled=false"})
class QuarantineTest extends ProcessorDatabaseTest {

    private static final int BATCH = 5_000;

    @EndpointInject("mock:notifications")
    MockEndpoint notifications;

    @BeanInject
    CamelContext context;

    @BeforeEach
    void forgetNotifications() {
        notifications.reset();
    }

    private static String good() {
        return """
                {"id":"%s","postId":"p","userId":"u","userName":"Ann","content":"Good","acceptedAt":"2026-11-22T15:00:00.123Z"}"""
                .formatted(UUID.randomUUID());
    }

    private static String bad(int i) {
        return switch (i % 6) {
            case 0 -> good().replaceFirst("\"id\":\"[^\"]*\"", "\"id\":\"" + i + "\"");
            case 1 -> "{\"id\":\"" + UUID.randomUUID() + "\"}";
            case 2 -> good().replace("Good", "\\u0000" + i);
            case 3 -> Integer.toString(i);
            case 4 -> good().replace("2026", "when" + i);
            default -> "[" + i + "]";
        };
    }

    private void receive(List<String> messages) {
        for (int from = 0; from < messages.size(); from += 250) {
            List<String> group = messages.subList(from, Math.min(from + 250, messages.size()));
            receive(("[" + String.join(",", group) + "]").getBytes(UTF_8), group.size());
        }
    }

    private int notified() throws IOException {
        int notified = 0;
        for (Exchange notification : notifications.getExchanges()) {
            notified += new ObjectMapper().readTree(notification.getMessage().getBody(byte[].class)).size();
        }
        return notified;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 50, BATCH})
    void badCommentsAreKeptWithTheReasonAndTheOthersAreWritten(int badOnes) throws Exception {
        List<String> batch = new ArrayList<>();
        for (int i = 0; i < BATCH; i++) {
            boolean isBad = (long) i * badOnes / BATCH != (long) (i + 1) * badOnes / BATCH;
            batch.add(isBad ? bad(i) : good());
        }
        receive(batch);
        verify(channel, timeout(120_000)).basicAck(tag, true);
        assertThat(number("SELECT count(*) FROM comments")).isEqualTo(BATCH - badOnes);
        assertThat(number("SELECT count(*) FROM comment_quarantine")).isEqualTo(badOnes);
        assertThat(number("SELECT count(*) FROM comment_quarantine WHERE sqlstate NOT LIKE '22%' AND sqlstate NOT LIKE '23%'"
                + " OR reason = ''")).isZero();
        assertThat(notified()).isEqualTo(BATCH - badOnes);
        // no batch is kept in a cache with all of its comments
        assertThat(context.getComponent("bean", BeanComponent.class).getCurrentBeanCacheSize()).isLessThan(20);
    }

    @Test
    void messagesInUtf16AndTimesOfOtherErasHoldNothingUp() throws Exception {
        String comment = "{\"postId\":\"p\",\"userId\":\"u\",\"userName\":\"Ann\",\"content\":\"in %1$s\",\"acceptedAt\":\"%1$s\"}";
        String first = comment.formatted("0001-01-01T00:00:00.000Z");
        receive(first.getBytes(UTF_16), 1);
        receive("[[1], [2]]".getBytes(UTF_16LE), 1);
        receive(first.getBytes(UTF_8), 1);
        receive(comment.formatted("9999-12-31T23:59:59.999Z").getBytes(UTF_8), BATCH);
        verify(channel, timeout(20_000)).basicAck(4, true);
        assertThat(number("SELECT count(*) FROM comments")).isEqualTo(2);
        assertThat(number("SELECT count(*) FROM comment_quarantine WHERE sqlstate = '22021' AND reason = 'not UTF-8'")).isEqualTo(2);
        assertThat(number("SELECT count(*) FROM comment_quarantine")).isEqualTo(2);
    }

    @Test
    void whatIsNotJsonOrNotUtf8IsKeptAsItCame() throws Exception {
        ByteArrayOutputStream broken = new ByteArrayOutputStream();
        broken.write("[{\"id\":\"".getBytes(UTF_8));
        broken.write(0xff);
        broken.write("\"}]".getBytes(UTF_8));
        receive(broken.toByteArray(), 1);
        receive("[{\"postId\":".getBytes(UTF_8), 1);
        receive(("[" + good() + "]").getBytes(UTF_8), BATCH);
        verify(channel, timeout(20_000)).basicAck(3, true);
        assertThat(number("SELECT count(*) FROM comments")).isOne();
        assertThat(number("SELECT count(*) FROM comment_quarantine WHERE body = '\\x5b7b22706f73744964223a' AND sqlstate = '22P02'"))
                .isOne();
        assertThat(number("SELECT count(*) FROM comment_quarantine WHERE position('\\xff'::bytea in body) > 0"
                + " AND sqlstate = '22021'")).isOne();
        assertThat(notified()).isOne();
    }

    /** The one is refused when it is read, since reading it would take more than the heap has, the other by the database. */
    @Test
    void whatIsNestedTooDeeplyIsKeptAsItCame() throws Exception {
        String deep = good().replace("}", ",\"deep\":" + "[".repeat(60_000) + "]".repeat(60_000) + "}");
        receive(("[" + good() + "," + deep + "]").getBytes(UTF_8), 2);
        receive("[".repeat(9 << 20).getBytes(UTF_8), 1);
        verify(channel, timeout(60_000)).basicAck(2, true);
        assertThat(number("SELECT count(*) FROM comments")).isOne();
        assertThat(number("SELECT count(*) FROM comment_quarantine WHERE sqlstate = '54001'")).isEqualTo(2);
        assertThat(number("SELECT max(length(body)) FROM comment_quarantine WHERE reason = 'nested too deeply'")).isEqualTo(9 << 20);
        assertThat(notified()).isOne();
    }

    @Test
    void whatIsDeliveredTwiceIsKeptOnce() throws Exception {
        String bad = bad(2);
        receive(("[" + bad + "]").getBytes(UTF_8), BATCH);
        verify(channel, timeout(20_000)).basicAck(1, true);
        receive(("[" + bad + "]").getBytes(UTF_8), BATCH);
        verify(channel, timeout(20_000)).basicAck(2, true);
        assertThat(number("SELECT count(*) FROM comment_quarantine")).isOne();
    }

    @Test
    void nothingIsLostWhenTheDatabaseFailsWhileABatchIsTakenApart() throws Exception {
        // the second of the statements that take it apart fails for another reason (a sequence isn't rolled back)
        execute("CREATE SEQUENCE attempts");
        execute("""
                CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF nextval('attempts') = 2 THEN RAISE EXCEPTION 'gone' USING ERRCODE = '57P01'; END IF;
                    RETURN NULL;
                END $$""");
        execute("CREATE TRIGGER fail_once BEFORE INSERT ON comments EXECUTE FUNCTION fail_once()");
        List<String> batch = new ArrayList<>();
        for (int i = 0; i < BATCH; i++) {
            batch.add(i == 3_333 ? bad(4) : good());
        }
        receive(batch);
        verify(channel, timeout(30_000)).basicAck(tag, true);
        execute("DROP TRIGGER fail_once ON comments");
        execute("DROP FUNCTION fail_once");
        assertThat(number("SELECT nextval('attempts')")).as("it was tried again").isGreaterThan(10);
        execute("DROP SEQUENCE attempts");
        assertThat(number("SELECT count(*) FROM comments")).isEqualTo(BATCH - 1);
        assertThat(notified()).isEqualTo(BATCH - 1);
    }

    @Test
    void nothingIsQuarantinedForAFaultOfTheDatabase() throws Exception {
        execute("ALTER TABLE comments RENAME TO gone");
        receive(("[" + good() + "," + bad(2) + "]").getBytes(UTF_8), BATCH);
        verify(channel, timeout(1_000).times(0)).basicAck(anyLong(), anyBoolean());
        assertThat(number("SELECT count(*) FROM comment_quarantine")).isZero();
        verify(channel, never()).basicAck(anyLong(), anyBoolean());
        execute("ALTER TABLE gone RENAME TO comments");
        verify(channel, timeout(20_000)).basicAck(1, true);
        assertThat(number("SELECT count(*) FROM comments")).isOne();
        assertThat(number("SELECT count(*) FROM comment_quarantine")).isOne();
    }
}
