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

import com.fasterxml.jackson.databind.ObjectMapper;
import com.rabbitmq.client.Channel;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.camel.BeanInject;
import org.apache.camel.CamelContext;
import org.apache.camel.EndpointInject;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.builder.AdviceWithRouteBuilder;
import org.apache.camel.component.bean.BeanComponent;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.component.springrabbit.SpringRabbitMQConstants;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.main.MainConfigurationProperties;
import org.apache.camel.test.main.junit5.AdviceRouteMapping;
import org.apache.camel.test.main.junit5.CamelMainTest;
import org.apache.camel.test.main.junit5.Configure;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The route file as it ships, with its aggregator; the queue, the database and the broker are stood in for. */
@CamelMainTest(
        advices = @AdviceRouteMapping(route = "comment-job-processor", advice = CommentJobProcessorTest.Neighbours.class),
        properties = {"COMMENTS_ROLES=comment-job-processor", "COMMENTS_RETRY_DELAY=10", "COMMENTS_RETRY_MAX_DELAY=20", "COMMENTS_PREFETCH=10000", "COMMENTS_GROUP_BYTES=1024",
            "camel.metrics.enabled=false", "camel.management.enabled=false"})
class CommentJobProcessorTest {

    static class Neighbours extends AdviceWithRouteBuilder {
        @Override
        public void configure() {
            replaceFromWith("direct:comments");
            weaveById("insert-comments").replace().to("mock:insert");
            weaveById("to-notifications").replace().to("mock:notifications");
        }
    }

    @BeanInject
    CamelContext context;

    @EndpointInject("mock:insert")
    MockEndpoint insert;

    @EndpointInject("mock:notifications")
    MockEndpoint notifications;

    @EndpointInject("direct:comments")
    ProducerTemplate comments;

    final Channel channel = mock(Channel.class);
    private long tag;

    @Configure
    void routes(MainConfigurationProperties configuration) {
        configuration.withRoutesIncludePattern(
                "classpath:connections.camel.yaml,classpath:errors.camel.yaml,classpath:comment-job-processor.camel.yaml");
    }

    @BeforeEach
    void reset() {
        insert.reset();
        notifications.reset();
    }

    void receive(int count) {
        String body = IntStream.rangeClosed(1, count)
                .mapToObj(i -> "{\"id\":\"" + tag + "-" + i + "\",\"postId\":\"p\",\"content\":\"c\"}")
                .collect(Collectors.joining(",", "[", "]"));
        receive(body, count);
    }

    void receive(String body, Object count) {
        tag++;
        comments.send(exchange -> {
            exchange.setProperty(SpringRabbitMQConstants.CHANNEL, channel);
            exchange.getMessage().setHeader(SpringRabbitMQConstants.DELIVERY_TAG, tag);
            exchange.getMessage().setHeader("commentCount", count);
            exchange.getMessage().setBody(body.getBytes(UTF_8));
        });
    }

    /** How many comments each insert got. */
    List<Integer> inserted() {
        return insert.getExchanges().stream().map(CommentJobProcessorTest::batch).map(CommentBatch::comments).toList();
    }

    static CommentBatch batch(Exchange exchange) {
        return exchange.getProperty(CommentBatch.PROPERTY, CommentBatch.class);
    }

    HealthCheck.Result health() {
        return context.getRegistry().lookupByNameAndType("retryingBatches", HealthCheck.class).call();
    }

    /** With an interval that never ends here. */
    @Nested
    @CamelMainTest(properties = "COMMENTS_BATCH_INTERVAL=600000")
    class OnSize {

        @Test
        void aBatchIsCompleteAtFiveThousandComments() throws Exception {
            receive(3_000);
            receive(1_999);
            assertThat(insert.getExchanges()).isEmpty();
            receive(1);
            await().until(() -> inserted().equals(List.of(5_000)));
            // else the next batch may be settled before this one is acknowledged, and both are at once
            verify(channel, timeout(5_000)).basicAck(3, true);
            receive(6_000);
            await().until(() -> inserted().equals(List.of(5_000, 6_000)));
            verify(channel, timeout(5_000)).basicAck(4, true);
        }

        @Test
        void manySmallMessagesMakeABatch() {
            for (int i = 0; i < 4_999; i++) {
                receive(1);
            }
            assertThat(insert.getExchanges()).isEmpty();
            receive(1);
            await().until(() -> inserted().equals(List.of(5_000)));
        }

        @Test
        void aBatchIsCompleteAtEightMebibytes() {
            String body = "[{\"content\":\"" + "a".repeat(4 << 20) + "\"}]";
            receive(body, 1);
            assertThat(insert.getExchanges()).isEmpty();
            receive(body, 1);
            await().until(() -> inserted().equals(List.of(2)));
        }

        @Test
        void aForeignCountIsTakenForOne() {
            for (Object count : new Object[] {null, "many", -3, 0}) {
                receive("{\"id\":\"1\"}", count);
            }
            receive(4_996);
            await().until(() -> inserted().equals(List.of(5_000)));
        }
    }

    /** With a short interval. */
    @Nested
    @CamelMainTest(properties = "COMMENTS_BATCH_INTERVAL=100")
    class OnInterval {

        @Test
        void fewerAreWrittenWhenTheIntervalEnds() throws Exception {
            receive(2);
            receive(1);
            verify(channel, timeout(5_000)).basicAck(2, true);
            assertThat(inserted().stream().mapToInt(Integer::intValue).sum()).isEqualTo(3);
        }

        @Test
        void aSteadyTrickleDoesNotKeepABatchOpen() {
            await().atMost(Duration.ofSeconds(5)).pollInterval(Duration.ofMillis(20)).until(() -> {
                receive(1);
                return !insert.getExchanges().isEmpty();
            });
        }

        @Test
        void theNotificationListsAllCommentsAndHasNoHeadersButItsOwn() throws Exception {
            receive(2);
            receive(3);
            verify(channel, timeout(5_000)).basicAck(2, true);
            int notified = 0;
            for (Exchange exchange : notifications.getExchanges()) {
                int count = new ObjectMapper().readTree(exchange.getMessage().getBody(byte[].class)).size();
                assertThat(exchange.getMessage().getHeaders()).containsOnly(
                        Map.entry("commentCount", count), Map.entry("CamelSpringRabbitmqContentType", "application/json"));
                notified += count;
            }
            assertThat(notified).isEqualTo(5);
        }

        @Test
        void nothingOfABatchIsRememberedWhenItIsSettled() throws Exception {
            receive(1);
            verify(channel, timeout(5_000)).basicAck(1, true);
            BeanComponent beans = context.getComponent("bean", BeanComponent.class);
            int cached = beans.getCurrentBeanCacheSize();
            for (int i = 2; i <= 10; i++) {
                receive(1);
                verify(channel, timeout(5_000)).basicAck(i, true);
            }
            assertThat(beans.getCurrentBeanCacheSize()).isEqualTo(cached);
        }

        @Test
        void nothingIsNotifiedOrAcknowledgedWhileTheInsertFails() throws Exception {
            AtomicInteger attempts = new AtomicInteger();
            insert.whenAnyExchangeReceived(exchange -> {
                attempts.incrementAndGet();
                throw new SQLException("down", "08006");
            });
            receive(1);
            await().until(() -> attempts.get() >= 5);
            assertThat(notifications.getExchanges()).isEmpty();
            verify(channel, never()).basicAck(anyLong(), anyBoolean());
            assertThat(health().getState()).isEqualTo(HealthCheck.State.DOWN);
            assertThat(health().getMessage().orElseThrow()).contains("08006");

            insert.whenAnyExchangeReceived(exchange -> { });
            verify(channel, timeout(5_000)).basicAck(1, true);
            assertThat(notifications.getExchanges()).hasSize(1);
            await().until(() -> health().getState() == HealthCheck.State.UP);
        }

        @Test
        void nothingIsAcknowledgedBeforeTheNotificationIsConfirmed() throws Exception {
            CountDownLatch confirm = new CountDownLatch(1);
            notifications.whenAnyExchangeReceived(exchange -> confirm.await());
            receive(1);
            await().until(() -> notifications.getReceivedCounter() == 1);
            assertThat(insert.getExchanges()).hasSize(1);
            verify(channel, never()).basicAck(anyLong(), anyBoolean());
            confirm.countDown();
            verify(channel, timeout(5_000)).basicAck(1, true);
        }

        @Test
        void aNotificationThatIsNotConfirmedIsSentAgainAndTheInsertIsNot() throws Exception {
            AtomicInteger attempts = new AtomicInteger();
            notifications.whenAnyExchangeReceived(exchange -> {
                if (attempts.incrementAndGet() < 4) {
                    throw new IllegalStateException("not confirmed");
                }
            });
            receive(1);
            verify(channel, timeout(5_000)).basicAck(1, true);
            assertThat(attempts).hasValue(4);
            assertThat(insert.getExchanges()).hasSize(1);
        }

        @Test
        void aBatchThatIsStuckDoesNotStopTheNextFromBeingWritten() throws Exception {
            insert.whenAnyExchangeReceived(exchange -> {
                if (String.valueOf(exchange.getMessage().getBody(BatchPart.class).parameters()).contains("bad")) {
                    throw new SQLException("bad: relation does not exist", "42P01");
                }
            });
            receive("[{\"id\":\"bad\"}]", 1);
            await().until(() -> health().getState() == HealthCheck.State.DOWN);
            assertThat(health().getMessage().orElseThrow()).contains("42P01").doesNotContain("bad");
            receive(2);
            await().until(() -> notifications.getExchanges().size() == 1);
            verify(channel, never()).basicAck(anyLong(), anyBoolean());

            insert.whenAnyExchangeReceived(exchange -> { });
            verify(channel, timeout(5_000)).basicAck(2, true);
        }
    }
}
