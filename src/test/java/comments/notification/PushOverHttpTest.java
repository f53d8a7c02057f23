package comments.notification;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import comments.EmbeddedBroker;
import comments.support.TestPipeline;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import org.apache.camel.health.HealthCheck;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pushes to a receiver that is reached over HTTP. */
@Timeout(60)
class PushOverHttpTest {

    private static final String SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private record Push(String path, Headers headers, String body, long nanos) {
        String id() {
            return headers.getFirst("webhook-id");
        }
    }

    private final List<Push> pushes = new CopyOnWriteArrayList<>();
    private volatile HttpHandler answers = exchange -> exchange.sendResponseHeaders(204, -1);
    private HttpServer receiver;
    private EmbeddedBroker broker;
    private Connection connection;
    private Channel channel;

    @BeforeEach
    void start() throws Exception {
        receiver = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        receiver.setExecutor(Executors.newCachedThreadPool());
        receiver.createContext("/", exchange -> {
            pushes.add(new Push(exchange.getRequestURI().toString(), exchange.getRequestHeaders(),
                    new String(exchange.getRequestBody().readAllBytes(), UTF_8), System.nanoTime()));
            answers.handle(exchange);
            exchange.close();
        });
        receiver.start();
        broker = EmbeddedBroker.startInMemory();
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(broker.uri());
        connection = factory.newConnection();
        channel = connection.createChannel();
    }

    @AfterEach
    void stop() throws Exception {
        connection.close();
        broker.close();
        receiver.stop(0);
    }

    private TestPipeline pipeline(String... settings) throws Exception {
        Map<String, String> all = new HashMap<>(Map.of("RABBITMQ_URI", broker.uri(), "COMMENTS_ROLES", "notification-service",
                "COMMENTS_RETRY_DELAY", "10", "COMMENTS_RETRY_MAX_DELAY", "20", "NOTIFICATIONS_PUSH_SECRET", SECRET,
                "NOTIFICATIONS_PUSH_PRIVATE", "true",
                "NOTIFICATIONS_PUSH_ENDPOINT", "http://127.0.0.1:" + receiver.getAddress().getPort() + "/hook?team=a%2Bb"));
        for (int i = 0; i < settings.length; i += 2) {
            all.put(settings[i], settings[i + 1]);
        }
        return TestPipeline.start(all);
    }

    private static String notification(int number) {
        return "[{\"id\":\"" + number + "\",\"postId\":\"p\",\"userName\":\"Änn\"}]";
    }

    private void notify(int number, Map<String, Object> headers) throws IOException {
        channel.basicPublish("", "notifications", new BasicProperties.Builder().contentType("application/json").headers(headers).build(),
                notification(number).getBytes(UTF_8));
    }

    private void notify(int number) throws IOException {
        notify(number, Map.of());
    }

    private void awaitPushes(int number) {
        await().atMost(PATIENCE).until(() -> pushes.size() >= number);
    }

    private static HttpHandler status(int status, String... headers) {
        return exchange -> {
            for (int i = 0; i < headers.length; i += 2) {
                exchange.getResponseHeaders().add(headers[i], headers[i + 1]);
            }
            exchange.sendResponseHeaders(status, -1);
        };
    }

    /** Answers the first request in one way, and those after it with 204. */
    private void firstAnswer(HttpHandler first) {
        answers = exchange -> (pushes.size() == 1 ? first : status(204)).handle(exchange);
    }

    private static String retrying(TestPipeline pipeline) {
        return health(pipeline, "retryingPushes").getMessage().orElse("");
    }

    private static HealthCheck.Result health(TestPipeline pipeline, String bean) {
        return pipeline.bean(bean, HealthCheck.class).call();
    }

    @Test
    void aPushIsSignedAndHasOnlyTheHeadersOfTheContract() throws Exception {
        try (TestPipeline pipeline = pipeline()) {
            // what a foreign producer might send
            notify(1, Map.of("CamelHttpUri", "http://127.0.0.1:1/", "CamelHttpMethod", "DELETE", "Authorization", "secret", "x", "y"));
            awaitPushes(1);
            Push push = pushes.get(0);
            assertThat(push.path()).isEqualTo("/hook?team=a%2Bb");
            assertThat(push.body()).isEqualTo(notification(1));
            assertThat(push.headers().keySet().stream().map(String::toLowerCase).collect(Collectors.toSet()))
                    .containsExactlyInAnyOrder("webhook-id", "webhook-timestamp", "webhook-signature", "content-type", "content-length",
                            "host", "user-agent", "connection");
            assertThat(push.headers().getFirst("Content-Type")).isEqualTo("application/json");
            assertThat(push.headers().getFirst("User-Agent")).isEqualTo("comment-pipeline");
            SignPush sign = new SignPush();
            sign.setSecrets(SECRET);
            long timestamp = Long.parseLong(push.headers().getFirst("webhook-timestamp"));
            assertThat(timestamp).isCloseTo(System.currentTimeMillis() / 1_000, org.assertj.core.data.Offset.offset(20L));
            assertThat(push.headers().getFirst("webhook-signature"))
                    .isEqualTo(sign.signatures(push.id(), timestamp, notification(1).getBytes(UTF_8)));
            await().atMost(PATIENCE).until(() -> pipeline.observe("metrics").contains("comments_pushed_total"));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {500, 503, 408, 429})
    void whatTheReceiverMayTakeLaterIsTriedAgainWithTheSameId(int status) throws Exception {
        firstAnswer(status(status, "Set-Cookie", "a=b"));
        try (TestPipeline pipeline = pipeline()) {
            notify(1);
            awaitPushes(2);
            notify(2);
            awaitPushes(3);
            assertThat(pushes.stream().map(Push::body)).containsExactly(notification(1), notification(1), notification(2));
            assertThat(pushes.get(1).id()).isEqualTo(pushes.get(0).id());
            assertThat(pushes.get(2).id()).isNotEqualTo(pushes.get(0).id());
            assertThat(pushes.get(1).headers()).doesNotContainKey("Cookie");
            await().atMost(PATIENCE).until(() -> health(pipeline, "retryingPushes").getState() == HealthCheck.State.UP);
        }
    }

    @Test
    void retryAfterIsTheDelay() throws Exception {
        ListAppender<ILoggingEvent> log = NotificationServiceTest.logOf("comments.observe.RedeliveryMonitor", Level.WARN);
        firstAnswer(status(429, "Retry-After", "2"));
        try (TestPipeline pipeline = pipeline()) {
            notify(1);
            await().atMost(PATIENCE).until(() -> !retrying(pipeline).isEmpty());
            assertThat(retrying(pipeline)).contains("HTTP 429");
            awaitPushes(2);
            assertThat(pushes.get(1).nanos() - pushes.get(0).nanos()).isBetween(1_900_000_000L, 8_000_000_000L);
            assertThat(NotificationServiceTest.messages(log)).anyMatch(line -> line.contains("another one follows: HTTP 429"));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {410, 400, 302, 307})
    void whatTheReceiverRefusesIsKeptAsideAndTheNextIsPushed(int status) throws Exception {
        firstAnswer(status(status, "Location", "http://127.0.0.1:" + receiver.getAddress().getPort() + "/elsewhere"));
        try (TestPipeline pipeline = pipeline()) {
            notify(1);
            awaitRefused(pipeline, 1, ". This process was refused the last one with HTTP " + status);
            assertThat(pipeline.observe("health/ready")).as("posts continue").doesNotContain("DOWN");
            notify(2);
            awaitPushes(2);
            await().atMost(PATIENCE).until(() -> channel.messageCount("notifications") == 0);
            assertThat(pushes.stream().map(Push::body)).containsExactly(notification(1), notification(2));
            assertThat(pushes.get(1).path()).isEqualTo("/hook?team=a%2Bb");
            awaitRefused(pipeline, 1, "HTTP " + status);
            GetResponse kept = channel.basicGet("notifications-refused", true);
            assertThat(kept.getBody()).isEqualTo(notification(1).getBytes(UTF_8));
            assertThat(kept.getProps().getHeaders().get("reason")).hasToString("HTTP " + status);
            assertThat(kept.getProps().getDeliveryMode()).as("persistent").isEqualTo(2);
            assertThat(pipeline.observe("metrics").lines().filter(line -> line.startsWith("comments_push_refused_total")))
                    .singleElement().asString().doesNotEndWith(" 0.0");
            awaitRefused(pipeline, 0, "");
        }
    }

    /** Looks, as a timer does, until the health has the number of refused notifications. */
    private static void awaitRefused(TestPipeline pipeline, int number, String reason) {
        RefusedPushHealth refused = pipeline.bean("refusedPushes", RefusedPushHealth.class);
        await().atMost(PATIENCE).untilAsserted(() -> {
            refused.process(null);
            HealthCheck.Result health = refused.call();
            assertThat(health.getState()).isEqualTo(number == 0 ? HealthCheck.State.UP : HealthCheck.State.DOWN);
            String told = number == 0 ? "" : "notifications-refused has messages that must be replayed: " + number;
            assertThat(health.getMessage().orElse("")).contains(told)
                    .contains(reason);
            assertThat(health.getDetails()).containsEntry("refused.messages", number);
        });
    }

    @Test
    void whatWasRefusedIsToldOfWithoutALookAndByOtherProcessesAlsoAfterARestart() throws Exception {
        answers = status(410);
        try (TestPipeline pipeline = pipeline()) {
            notify(1);
            await().atMost(PATIENCE).until(() -> pipeline.observe("health").contains("HTTP 410"));
            notify(2);
            awaitRefused(pipeline, 2, "HTTP 410");
        }
        answers = status(204);
        try (TestPipeline pipeline = pipeline()) {
            await().atMost(PATIENCE).until(() -> pipeline.observe("health").contains("has messages that must be replayed: 2"));
            notify(3);
            awaitPushes(3);
            awaitRefused(pipeline, 2, "");
        }
    }

    private static void drip(HttpExchange exchange, int bytes, Duration pause) throws IOException {
        exchange.sendResponseHeaders(200, 0);
        try (OutputStream body = exchange.getResponseBody()) {
            while (true) {
                body.write(new byte[bytes]);
                body.flush();
                Thread.sleep(pause.toMillis());
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    @Test
    void anAttemptEndsAtItsDeadlineHoweverSlowlyTheReceiverAnswers() throws Exception {
        firstAnswer(exchange -> drip(exchange, 1, Duration.ofMillis(50)));
        try (TestPipeline pipeline = pipeline("NOTIFICATIONS_PUSH_TIMEOUT", "700")) {
            notify(1);
            awaitPushes(2);
            assertThat(pushes.get(1).nanos() - pushes.get(0).nanos()).isBetween(300_000_000L, 5_000_000_000L);
            assertThat(pushes.get(1).id()).isEqualTo(pushes.get(0).id());
        }
    }

    @Test
    void anAnswerWithoutEndIsNotRead() throws Exception {
        firstAnswer(exchange -> drip(exchange, 10_000, Duration.ofMillis(1)));
        try (TestPipeline pipeline = pipeline()) {
            notify(1);
            notify(2);
            awaitPushes(2);
            assertThat(pushes.get(1).body()).as("the first is pushed").isEqualTo(notification(2));
        }
    }

    @Test
    void anAnswerWithoutEndOfItsHeadersFailsTheAttempt() throws Exception {
        firstAnswer(exchange -> {
            for (int i = 0; i < 10_000; i++) {
                exchange.getResponseHeaders().add("Name" + i, "value");
            }
            exchange.sendResponseHeaders(204, -1);
        });
        try (TestPipeline pipeline = pipeline()) {
            notify(1);
            awaitPushes(2);
            assertThat(pushes.get(1).id()).isEqualTo(pushes.get(0).id());
        }
    }

    @Test
    void addressesOfThisMachineAreRefusedByDefault() throws Exception {
        ListAppender<ILoggingEvent> log = NotificationServiceTest.logOf(WebhookComponent.class.getName(), Level.WARN);
        try (TestPipeline pipeline = pipeline("NOTIFICATIONS_PUSH_PRIVATE", "false",
                "NOTIFICATIONS_PUSH_ENDPOINT", "http://localhost:" + receiver.getAddress().getPort() + "/T0P-SECRET")) {
            notify(1);
            await().atMost(PATIENCE).until(() -> !retrying(pipeline).isEmpty());
            assertThat(retrying(pipeline)).contains("PrivateAddressException").doesNotContain("T0P-SECRET");
            await().during(Duration.ofMillis(300)).until(() -> pushes.isEmpty());
            assertThat(NotificationServiceTest.messages(log)).singleElement().asString()
                    .contains("NOTIFICATIONS_PUSH_PRIVATE is false").doesNotContain("T0P-SECRET");
        }
    }
}
