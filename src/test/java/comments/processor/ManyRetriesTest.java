package comments.processor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.mockito.Mockito.timeout;
import static org.mockito.Mockito.verify;

import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.EndpointInject;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.test.main.junit5.AdviceRouteMapping;
import org.apache.camel.test.main.junit5.CamelMainTest;
import org.junit.jupiter.api.Test;

/** The route file as it ships, with far more batches that wait for a retry than Camel's own pool holds. */
@CamelMainTest(
        advices = @AdviceRouteMapping(route = "comment-job-processor", advice = CommentJobProcessorTest.Neighbours.class),
        properties = {"COMMENTS_ROLES=comment-job-processor", "COMMENTS_BATCH_SIZE=1", "COMMENTS_BATCH_INTERVAL=600000",
            "COMMENTS_RETRY_DELAY=5000", "camel.metrics.enabled=false", "camel.management.enabled=false"})
class ManyRetriesTest extends ProcessorRouteTest {

    private static final int BATCHES = 5_000;
    private static final Duration RECOVERY_LIMIT = Duration.ofSeconds(30);

    @EndpointInject("mock:insert")
    MockEndpoint insert;

    @EndpointInject("mock:notifications")
    MockEndpoint notifications;

    @Test
    void fiveThousandBatchesWaitForARetryAndAreAllWritten() throws Exception {
        AtomicInteger failed = new AtomicInteger();
        insert.whenAnyExchangeReceived(exchange -> {
            failed.incrementAndGet();
            throw new SQLException("no such table", "42P01");
        });
        for (int tag = 1; tag <= BATCHES; tag++) {
            receive(tag, Map.of());
        }
        await().atMost(RECOVERY_LIMIT).until(() -> failed.get() >= BATCHES);
        insert.whenAnyExchangeReceived(exchange -> { });
        await().atMost(RECOVERY_LIMIT).until(() -> notifications.getReceivedCounter() == BATCHES);
        verify(channel, timeout(5_000)).basicAck(BATCHES, true);
        assertThat(notifications.getReceivedCounter()).isEqualTo(BATCHES);
    }
}
