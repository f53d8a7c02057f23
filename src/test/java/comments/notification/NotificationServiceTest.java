package comments.notification;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.mockito.ArgumentMatchers.anyBoolean;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.timeout;
import static org.mockito.Mockito.verify;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.rabbitmq.client.Channel;
import comments.support.TestMetrics;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.AsyncProducer;
import org.apache.camel.BeanInject;
import org.apache.camel.CamelContext;
import org.apache.camel.EndpointInject;
import org.apache.camel.Exchange;
import org.apache.camel.builder.AdviceWithRouteBuilder;
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
import org.slf4j.LoggerFactory;

/** The route file as it ships; the queue and the push service are stood in for. */
@CamelMainTest(
        mockEndpointsAndSkip = "spring-rabbitmq:pushes.*",
        advices = @AdviceRouteMapping(route = "notification-service", advice = NotificationServiceTest.Neighbours.class),
        properties = {"COMMENTS_ROLES=notification-service", "COMMENTS_RETRY_DELAY=10", "COMMENTS_RETRY_MAX_DELAY=20",
            "NOTIFICATIONS_PUSH_ENDPOINT=mock:push", "camel.metrics.enabled=false", "camel.management.enabled=false"})
public class NotificationServiceTest {

    static class Neighbours extends AdviceWithRouteBuilder {
        @Override
        public void configure() {
            replaceFromWith("direct:notifications");
        }
    }

    private static final String NOTIFICATION = """
            [{"id":"1","postId":"p","userName":"Ann"},{"id":"2","postId":"q","x":{"id":"3","postId":"r"}},{"id":"4","postId":"p"}]""";

    @BeanInject
    CamelContext context;

    @EndpointInject("mock:push")
    MockEndpoint push;

    @EndpointInject("mock:spring-rabbitmq:pushes")
    MockEndpoint announced;

    final Channel channel = mock(Channel.class);
    private long tag;

    @Configure
    void routes(MainConfigurationProperties configuration) {
        configuration.withRoutesIncludePattern(
                "classpath:connections.camel.yaml,classpath:errors.camel.yaml,classpath:notification-service.camel.yaml");
    }

    @BeforeEach
    void reset() {
        push.reset();
        announced.reset();
    }

    /** Hands a notification to the route as the consumer does; returns whether the route was done with it at once. */
    boolean receive(String body) throws Exception {
        tag++;
        Exchange exchange = context.getEndpoint("direct:notifications").createExchange();
        exchange.setProperty(SpringRabbitMQConstants.CHANNEL, channel);
        exchange.getMessage().setHeader(SpringRabbitMQConstants.DELIVERY_TAG, tag);
        exchange.getMessage().setBody(body.getBytes(UTF_8));
        AsyncProducer consumer = context.getEndpoint("direct:notifications").createAsyncProducer();
        consumer.start();
        return consumer.process(exchange, doneSync -> { });
    }

    public static ListAppender<ILoggingEvent> logOf(String name, Level level) {
        Logger logger = (Logger) LoggerFactory.getLogger(name);
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        logger.setLevel(level);
        logger.setAdditive(false);
        log.start();
        logger.addAppender(log);
        return log;
    }

    static double counted(String counter) {
        return TestMetrics.count(counter);
    }

    public static List<String> messages(ListAppender<ILoggingEvent> log) {
        return log.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
    }

    /** With a throttle that nobody notices. */
    @Nested
    @CamelMainTest
    class Unthrottled {

        @Test
        void pushesABatchThenAcknowledgesIt() throws Exception {
            receive(NOTIFICATION);
            verify(channel, timeout(5_000)).basicAck(1, true);
            assertThat(push.getExchanges()).hasSize(1);
            assertThat(push.getExchanges().get(0).getMessage().getBody(String.class)).isEqualTo(NOTIFICATION);
        }

        @Test
        void saysHowManyCommentsOfHowManyPostsWerePushed() throws Exception {
            ListAppender<ILoggingEvent> batches = logOf("notification-service", Level.INFO);
            ListAppender<ILoggingEvent> comments = logOf(DescribeNotification.class.getName(), Level.DEBUG);
            receive(NOTIFICATION);
            verify(channel, timeout(5_000)).basicAck(1, true);
            assertThat(messages(batches)).singleElement().asString().matches("Pushed 3 comments of 2 posts in \\d+ ms");
            assertThat(messages(comments)).containsExactly("Pushing comment 1 of post p", "Pushing comment 2 of post q",
                    "Pushing comment 4 of post p");
        }

        @Test
        void thoseWhoListenLiveAreToldOfWhatWasPushedWhateverThePushMadeOfIt() throws Exception {
            push.whenAnyExchangeReceived(exchange -> exchange.getMessage().setBody("an answer"));
            announced.expectedBodiesReceived(NOTIFICATION);
            announced.expectedHeaderReceived("CamelSpringRabbitmqDeliveryMode", "NON_PERSISTENT");
            double before = counted("comments.announced");
            receive(NOTIFICATION);
            MockEndpoint.assertIsSatisfied(context, 5, SECONDS);
            verify(channel, timeout(5_000)).basicAck(1, true);
            await().until(() -> counted("comments.announced") == before + 3);
        }

        @Test
        void whenNobodyCanBeToldLiveThePushIsAcknowledgedAllTheSame() throws Exception {
            announced.whenAnyExchangeReceived(exchange -> {
                throw new IllegalStateException("down");
            });
            double before = counted("comments.announced");
            double pushed = counted("comments.pushed");
            receive(NOTIFICATION);
            verify(channel, timeout(5_000)).basicAck(1, true);
            await().until(() -> announced.getReceivedCounter() == 1);
            assertThat(counted("comments.pushed")).isEqualTo(pushed + 3);
            assertThat(counted("comments.announced")).as("the gap shows").isEqualTo(before);
            assertThat(push.getReceivedCounter()).as("it is not pushed again").isEqualTo(1);
        }

        @Test
        void announcementsThatHangHoldUpNoPush() throws Exception {
            CountDownLatch mended = new CountDownLatch(1);
            announced.whenAnyExchangeReceived(exchange -> mended.await());
            try {
                for (int i = 1; i <= 50; i++) {
                    receive(NOTIFICATION);
                    verify(channel, timeout(5_000)).basicAck(i, true);
                }
            } finally {
                mended.countDown();
            }
        }

        @Test
        void aPushThatFailsIsTriedAgainAndNotAcknowledgedBefore() throws Exception {
            AtomicInteger attempts = new AtomicInteger();
            CountDownLatch mended = new CountDownLatch(1);
            push.whenAnyExchangeReceived(exchange -> {
                attempts.incrementAndGet();
                if (mended.getCount() > 0) {
                    throw new IllegalStateException("down");
                }
            });
            receive(NOTIFICATION);
            await().until(() -> attempts.get() >= 4);
            verify(channel, never()).basicAck(anyLong(), anyBoolean());
            HealthCheck retrying = context.getRegistry().lookupByNameAndType("retryingPushes", HealthCheck.class);
            assertThat(retrying.getId()).isEqualTo("retrying-pushes");
            assertThat(retrying.call().getState()).isEqualTo(HealthCheck.State.DOWN);
            assertThat(context.getRegistry().lookupByNameAndType("retryingBatches", HealthCheck.class).call().getState())
                    .as("no batch failed").isEqualTo(HealthCheck.State.UP);
            mended.countDown();
            verify(channel, timeout(5_000)).basicAck(1, true);
            await().until(() -> retrying.call().getState() == HealthCheck.State.UP);
        }
    }

    /** With two notifications in a long period. */
    @Nested
    @CamelMainTest(properties = {"NOTIFICATIONS_PER_PERIOD=2", "NOTIFICATIONS_PERIOD=3000"})
    class Throttled {

        @Test
        void moreThanTheThrottleAllowsWaitWithoutHoldingTheConsumersThread() throws Exception {
            long start = System.nanoTime();
            receive(NOTIFICATION);
            receive(NOTIFICATION);
            assertThat(receive(NOTIFICATION)).as("done at once").isFalse();
            assertThat(System.nanoTime() - start).as("the consumer was free").isLessThan(2_000_000_000L);
            assertThat(push.getReceivedCounter()).isEqualTo(2);
            await().until(() -> push.getReceivedCounter() == 3);
            assertThat(System.nanoTime() - start).isGreaterThan(2_500_000_000L);
            verify(channel, timeout(5_000)).basicAck(3, true);
        }
    }
}
