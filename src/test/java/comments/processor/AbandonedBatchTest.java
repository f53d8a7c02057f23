package comments.processor;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.mockito.ArgumentMatchers.anyBoolean;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.timeout;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ShutdownSignalException;
import comments.support.TestMetrics;
import java.sql.SQLException;
import java.time.Duration;
import org.apache.camel.BeanInject;
import org.apache.camel.CamelContext;
import org.apache.camel.EndpointInject;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.builder.AdviceWithRouteBuilder;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.component.springrabbit.SpringRabbitMQConstants;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.main.MainConfigurationProperties;
import org.apache.camel.test.main.junit5.AdviceRouteMapping;
import org.apache.camel.test.main.junit5.CamelMainTest;
import org.apache.camel.test.main.junit5.Configure;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Batches whose channels the broker closed, in the route file as it ships; the queue, the database and the broker are stood in for. */
@CamelMainTest(
        advices = {@AdviceRouteMapping(route = "comment-job-processor", advice = AbandonedBatchTest.Queues.class),
            @AdviceRouteMapping(route = "comment-job-processor-insert", advice = AbandonedBatchTest.Database.class)},
        properties = {"COMMENTS_ROLES=comment-job-processor", "COMMENTS_BATCH_SIZE=2", "COMMENTS_BATCH_INTERVAL=600000",
            "COMMENTS_RETRY_DELAY=10", "COMMENTS_RETRY_MAX_DELAY=20", "camel.metrics.enabled=false",
            "camel.management.enabled=false"})
class AbandonedBatchTest {

    static class Queues extends AdviceWithRouteBuilder {
        @Override
        public void configure() {
            replaceFromWith("direct:comments");
            weaveById("to-notifications").replace().to("mock:notifications");
        }
    }

    static class Database extends AdviceWithRouteBuilder {
        @Override
        public void configure() {
            weaveById("insert-part").replace().to("mock:database");
        }
    }

    @BeanInject
    CamelContext context;

    @EndpointInject("mock:database")
    MockEndpoint database;

    @EndpointInject("mock:notifications")
    MockEndpoint notifications;

    @EndpointInject("direct:comments")
    ProducerTemplate comments;

    private final Channel first = mock(Channel.class);
    private final Channel second = mock(Channel.class);

    @Configure
    void routes(MainConfigurationProperties configuration) {
        configuration.withRoutesIncludePattern(
                "classpath:connections.camel.yaml,classpath:errors.camel.yaml,classpath:comment-job-processor.camel.yaml");
    }

    @BeforeEach
    void fail() {
        database.reset();
        notifications.reset();
        database.whenAnyExchangeReceived(exchange -> {
            throw new IllegalStateException("away");
        });
    }

    private void receive(Channel channel) {
        comments.send(exchange -> {
            exchange.setProperty(SpringRabbitMQConstants.CHANNEL, channel);
            exchange.getMessage().setHeader(SpringRabbitMQConstants.DELIVERY_TAG, 1L);
            exchange.getMessage().setHeader("commentCount", 1);
            exchange.getMessage().setBody("[{\"id\":\"1\"}]".getBytes(UTF_8));
        });
    }

    private static void close(Channel channel) {
        when(channel.getCloseReason()).thenReturn(new ShutdownSignalException(false, false, null, channel));
    }

    private HealthCheck.State health() {
        return context.getRegistry().lookupByNameAndType("retryingBatches", HealthCheck.class).call().getState();
    }

    @Test
    void aBatchIsLeftToTheBrokerWhenItsChannelsAreClosed() throws Exception {
        receive(first);
        receive(second);
        await().until(() -> database.getReceivedCounter() > 3);
        close(first);
        int attempts = database.getReceivedCounter();
        await().until(() -> database.getReceivedCounter() > attempts + 3);
        assertThat(health()).isEqualTo(HealthCheck.State.DOWN);
        close(second);
        await().until(() -> health() == HealthCheck.State.UP);
        int last = database.getReceivedCounter();
        database.whenAnyExchangeReceived(exchange -> { });
        await().during(Duration.ofMillis(200)).until(() -> database.getReceivedCounter() == last);
        assertThat(notifications.getExchanges()).isEmpty();
        verify(first, never()).basicAck(anyLong(), anyBoolean());
    }

    @Test
    void aBatchIsLeftToTheBrokerWhenItsChannelsAreClosedBetweenItsHalves() throws Exception {
        double persisted = TestMetrics.count("comments.persisted");
        database.whenAnyExchangeReceived(exchange -> {
            // the messages, and then both comments together
            if (database.getReceivedCounter() <= 2) {
                throw new SQLException("bad", "22P02");
            }
            close(first);
            close(second);
        });
        receive(first);
        receive(second);
        await().until(() -> database.getReceivedCounter() == 3);
        await().during(Duration.ofMillis(500)).until(() -> database.getReceivedCounter() == 3 && notifications.getReceivedCounter() == 0);
        assertThat(TestMetrics.count("comments.persisted")).isEqualTo(persisted);
        verify(first, never()).basicAck(anyLong(), anyBoolean());
        verify(second, never()).basicAck(anyLong(), anyBoolean());
        assertThat(health()).isEqualTo(HealthCheck.State.UP);
    }

    @Test
    void aBatchIsTriedAgainWhileOneOfItsChannelsIsOpen() throws Exception {
        receive(first);
        receive(second);
        close(first);
        await().until(() -> database.getReceivedCounter() > 3);
        database.whenAnyExchangeReceived(exchange -> { });
        verify(second, timeout(5_000)).basicAck(1, true);
        assertThat(notifications.getExchanges()).hasSize(1);
    }
}
