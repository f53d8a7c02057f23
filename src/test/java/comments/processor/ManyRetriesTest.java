package comments.processor;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.timeout;
import static org.mockito.Mockito.verify;

import com.rabbitmq.client.Channel;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.EndpointInject;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.component.springrabbit.SpringRabbitMQConstants;
import org.apache.camel.main.MainConfigurationProperties;
import org.apache.camel.test.main.junit5.AdviceRouteMapping;
import org.apache.camel.test.main.junit5.CamelMainTest;
import org.apache.camel.test.main.junit5.Configure;
import org.junit.jupiter.api.Test;

/** The route file as it ships, with far more batches that wait for a retry than Camel's own pool holds. */
@CamelMainTest(
        advices = @AdviceRouteMapping(route = "comment-job-processor", advice = CommentJobProcessorTest.Neighbours.class),
        properties = {"COMMENTS_ROLES=comment-job-processor", "COMMENTS_BATCH_SIZE=1", "COMMENTS_BATCH_INTERVAL=600000",
            "COMMENTS_RETRY_DELAY=5000", "camel.metrics.enabled=false", "camel.management.enabled=false"})
class ManyRetriesTest {

    private static final int BATCHES = 5_000;
    private static final Duration RECOVERY_LIMIT = Duration.ofSeconds(30);

    @EndpointInject("mock:insert")
    MockEndpoint insert;

    @EndpointInject("mock:notifications")
    MockEndpoint notifications;

    @EndpointInject("direct:comments")
    ProducerTemplate comments;

    private final Channel channel = mock(Channel.class);

    @Configure
    void routes(MainConfigurationProperties configuration) {
        configuration.withRoutesIncludePattern(
                "classpath:connections.camel.yaml,classpath:errors.camel.yaml,classpath:comment-job-processor.camel.yaml");
    }

    @Test
    void fiveThousandBatchesWaitForARetryAndAreAllWritten() throws Exception {
        AtomicInteger failed = new AtomicInteger();
        insert.whenAnyExchangeReceived(exchange -> {
            failed.incrementAndGet();
            throw new SQLException("no such table", "42P01");
        });
        for (int tag = 1; tag <= BATCHES; tag++) {
            receive(tag);
        }
        await().atMost(RECOVERY_LIMIT).until(() -> failed.get() >= BATCHES);
        insert.whenAnyExchangeReceived(exchange -> { });
        await().atMost(RECOVERY_LIMIT).until(() -> notifications.getReceivedCounter() == BATCHES);
        verify(channel, timeout(5_000)).basicAck(BATCHES, true);
        assertThat(notifications.getReceivedCounter()).isEqualTo(BATCHES);
    }

    private void receive(long tag) {
        comments.send(exchange -> {
            exchange.setProperty(SpringRabbitMQConstants.CHANNEL, channel);
            exchange.getMessage().setHeader(SpringRabbitMQConstants.DELIVERY_TAG, tag);
            exchange.getMessage().setHeader("commentCount", 1);
            exchange.getMessage().setBody("[{\"id\":\"%d\"}]".formatted(tag).getBytes(UTF_8));
        });
    }
}
