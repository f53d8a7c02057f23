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
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.camel.EndpointInject;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.builder.AdviceWithRouteBuilder;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.component.springrabbit.SpringRabbitMQConstants;
import org.apache.camel.main.MainConfigurationProperties;
import org.apache.camel.test.main.junit5.AdviceRouteMapping;
import org.apache.camel.test.main.junit5.CamelMainTest;
import org.apache.camel.test.main.junit5.Configure;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Batches of changes whose channels the broker closed, in the route file as it ships; the queue and the database are stood in for. */
@CamelMainTest(
        advices = {@AdviceRouteMapping(route = "comment-changes", advice = AbandonedChangesTest.Queue.class),
            @AdviceRouteMapping(route = "comment-changes-apply", advice = AbandonedChangesTest.Database.class),
            @AdviceRouteMapping(route = "comment-changes-waiting", advice = AbandonedChangesTest.NoTimer.class),
            @AdviceRouteMapping(route = "comment-changes-returned", advice = AbandonedChangesTest.NoTimer.class)},
        properties = {"COMMENTS_ROLES=comment-changes", "COMMENTS_BATCH_INTERVAL=100", "COMMENTS_RETRY_DELAY=10",
            "COMMENTS_RETRY_MAX_DELAY=20", "camel.metrics.enabled=false", "camel.management.enabled=false"})
class AbandonedChangesTest {

    static class Queue extends AdviceWithRouteBuilder {
        @Override
        public void configure() {
            replaceFromWith("direct:changes");
            weaveById("quarantine-changes").replace().to("mock:quarantine");
        }
    }

    static class Database extends AdviceWithRouteBuilder {
        @Override
        public void configure() {
            weaveById("apply-part").replace().to("mock:database");
        }
    }

    static class NoTimer extends AdviceWithRouteBuilder {
        @Override
        public void configure() {
            replaceFromWith("direct:" + getOriginalRoute().getRouteId() + "-timer");
        }
    }

    @EndpointInject("mock:database")
    MockEndpoint database;

    @EndpointInject("mock:quarantine")
    MockEndpoint quarantine;

    @EndpointInject("direct:changes")
    ProducerTemplate changes;

    private final Channel channel = mock(Channel.class);

    @Configure
    void routes(MainConfigurationProperties configuration) {
        configuration.withRoutesIncludePattern(
                "classpath:connections.camel.yaml,classpath:errors.camel.yaml,classpath:comment-changes.camel.yaml");
    }

    @BeforeEach
    void reset() {
        database.reset();
        quarantine.reset();
    }

    private void receive() {
        changes.send(exchange -> {
            exchange.setProperty(SpringRabbitMQConstants.CHANNEL, channel);
            exchange.getMessage().setHeader(SpringRabbitMQConstants.DELIVERY_TAG, 1L);
            exchange.getMessage().setHeader("commentCount", 2);
            exchange.getMessage().setBody("[{\"id\":\"1\"},{\"id\":\"2\"}]".getBytes(UTF_8));
        });
    }

    /** Refuses the message, both changes together, and the first of them; then does something, and applies the second. */
    private void refuseTheFirst(Runnable thereafter) {
        database.whenAnyExchangeReceived(exchange -> {
            if (database.getReceivedCounter() == 3) {
                thereafter.run();
            }
            if (database.getReceivedCounter() <= 3) {
                throw new SQLException("bad", "22P02");
            }
            exchange.getMessage().setBody(List.of(Map.of("edited", 0, "erased", 0)));
        });
    }

    @Test
    void aBatchIsLeftToTheBrokerWhenItsChannelIsClosedBetweenItsHalves() throws Exception {
        refuseTheFirst(() -> when(channel.getCloseReason()).thenReturn(new ShutdownSignalException(false, false, null, channel)));
        receive();
        await().until(() -> database.getReceivedCounter() == 3);
        await().during(Duration.ofMillis(500)).until(() -> database.getReceivedCounter() == 3);
        verify(channel, never()).basicAck(anyLong(), anyBoolean());
        assertThat(quarantine.getReceivedCounter()).isZero();
    }

    @Test
    void aBatchIsSettledWhenItsChannelIsOpen() throws Exception {
        refuseTheFirst(() -> { });
        receive();
        verify(channel, timeout(5_000)).basicAck(1, true);
        assertThat(database.getReceivedCounter()).isEqualTo(4);
        assertThat(quarantine.getReceivedCounter()).isEqualTo(1);
    }
}
