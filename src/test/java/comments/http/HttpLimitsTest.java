package comments.http;

import static comments.support.RawConnection.open;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.EmbeddedBroker;
import comments.http.ClientLimits.Resource;
import comments.support.RawConnection;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.camel.builder.RouteBuilder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What one address may hold of the HTTP server, while another one is served. */
class HttpLimitsTest {

    private static final String STRANGER = "127.0.0.1";
    private static final String GOOD = "127.0.0.2";
    private static final String PROXY = "127.0.0.3";
    private static final int CONNECTIONS = 40;
    private static final int SHARE = CONNECTIONS / 2;
    private static final Duration TIMEOUT = Duration.ofSeconds(3);
    private static final String STREAM = "GET /comments/stream?postId=p HTTP/1.1\r\nHost: a\r\n";
    private static final int LARGE = 20_000_000;

    private static EmbeddedBroker broker;
    private static TestPipeline pipeline;
    private static volatile CountDownLatch reading = new CountDownLatch(0);

    private final List<RawConnection> connections = new ArrayList<>();

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", TestServers.newDatabase(),
                "POSTGRES_USER", "postgres", "HTTP_MAX_CONNECTIONS", Integer.toString(CONNECTIONS),
                "HTTP_CLIENT_TIMEOUT", Long.toString(TIMEOUT.toMillis()), "COMMENTS_STREAM_LISTENERS", "6",
                "COMMENTS_TRUSTED_PROXIES", PROXY + "/32", "COMMENTS_READERS", "30"),
                new RouteBuilder() {
                    @Override
                    public void configure() {
                        from("platform-http:/read").process(exchange -> reading.await()).setBody(constant("read"));
                        from("platform-http:/large").setBody(constant(new byte[LARGE]));
                    }
                });
    }

    @AfterAll
    static void stop() {
        pipeline.close();
        broker.close();
    }

    @AfterEach
    void close() throws Exception {
        for (RawConnection connection : connections) {
            connection.close();
        }
        await().until(() -> limits().held(Resource.CONNECTIONS) == 0);
        ServerLimits.awaitNothingHeld(pipeline);
        await().until(() -> pipeline.bean("sseClients", SseClients.class).count() == 0);
    }

    private static ClientLimits limits() {
        return ServerLimits.of(pipeline);
    }

    private RawConnection connect(String from) throws IOException {
        RawConnection connection = open(from, pipeline.port());
        connections.add(connection);
        return connection;
    }

    private int post(String from, String headers) throws IOException {
        try (RawConnection connection = open(from, pipeline.port())) {
            return connection.send(RawConnection.post(headers, TestPipeline.COMMENT)).status();
        }
    }

    private void assertServed() throws IOException {
        assertThat(post(GOOD, "")).isEqualTo(202);
    }

    @Test
    void oneAddressHasAShareOfTheConnections() throws Exception {
        for (int i = 0; i < SHARE; i++) {
            assertThat(connect(STRANGER).send(RawConnection.post("", TestPipeline.COMMENT)).status()).isEqualTo(202);
        }
        assertThat(connect(STRANGER).status()).isZero();
        assertServed();
        connections.remove(0).close();
        await().until(() -> post(STRANGER, "") == 202);
    }

    @Test
    void allAddressesTogetherHaveALimitOfConnections() throws Exception {
        for (int i = 0; i < CONNECTIONS; i++) {
            connect(i % 2 == 0 ? STRANGER : GOOD);
        }
        await().until(() -> limits().held(Resource.CONNECTIONS) == CONNECTIONS);
        assertThat(connect("127.0.0.4").status()).isZero();
    }

    @Test
    void aTrustedProxyConnectsForManyClients() throws Exception {
        for (int i = 0; i < SHARE + 5; i++) {
            connect(PROXY);
        }
        await().until(() -> limits().held(Resource.CONNECTIONS) == SHARE + 5);
        assertThat(post(PROXY, "")).isEqualTo(202);
    }

    @Test
    void oneAddressHasAShareOfTheStreams() throws Exception {
        for (int i = 0; i < 3; i++) {
            assertThat(connect(STRANGER).send(STREAM + "\r\n").status()).isEqualTo(200);
        }
        RawConnection refused = connect(STRANGER).send(STREAM + "Connection: close\r\n\r\n");
        assertThat(refused.status()).isEqualTo(429);
        assertThat(refused.rest()).contains("Retry-After: 1\r\n");
        RawConnection eventSource = connect(STRANGER).send(STREAM + "Accept: text/event-stream\r\nConnection: close\r\n\r\n");
        assertThat(eventSource.status()).as("an EventSource gives up after any other status").isEqualTo(200);
        assertThat(eventSource.rest()).contains("content-type: text/event-stream\r\n").doesNotContain("Retry-After")
                .containsPattern("\r\n\r\nretry: ([5-9]|1[0-4])\\d{3}\nevent: end\ndata: \\{\"reason\":\"busy\"}\n\n$");
        assertThat(connect(PROXY).send(STREAM + "X-Forwarded-For: 127.0.0.1\r\n\r\n").status()).isEqualTo(429);
        assertThat(connect(PROXY).send(STREAM + "X-Forwarded-For: 192.0.2.1\r\n\r\n").status()).isEqualTo(200);
        assertThat(connect(GOOD).send(STREAM + "X-Forwarded-For: 127.0.0.1\r\n\r\n").status()).isEqualTo(200);
    }

    @Test
    void oneAddressHasAShareOfTheReads() throws Exception {
        reading = new CountDownLatch(1);
        limits().limit(Resource.READS, 4, 1);
        try {
            String read = "GET /read HTTP/1.1\r\nHost: a\r\n\r\n";
            connect(STRANGER).send(read);
            connect(STRANGER).send(read);
            await().until(() -> limits().held(Resource.READS) == 2);
            assertThat(connect(STRANGER).send(read).status()).isEqualTo(429);
            RawConnection good = connect(GOOD).send(read);
            await().until(() -> limits().held(Resource.READS) == 3);
            reading.countDown();
            assertThat(good.status()).isEqualTo(200);
        } finally {
            limits().limit(Resource.READS, WorkerConsumer.MAX_REQUESTS, 1);
            reading.countDown();
        }
    }

    @Test
    void oneAddressHasAShareOfTheBytesOfBodies() throws Exception {
        limits().limit(Resource.BYTES, 200_000, 1);
        try {
            String half = "POST /comments HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + "x".repeat(50_000);
            connect(STRANGER).send(half);
            connect(STRANGER).send(half);
            await().until(() -> limits().held(Resource.BYTES) == 100_000);
            assertThat(connect(STRANGER).send(half).status()).isEqualTo(429);
            assertServed();
            connect("127.0.0.4").send(half);
            connect("127.0.0.4").send(half);
            await().until(() -> limits().held(Resource.BYTES) == 200_000);
            assertThat(post(GOOD, "")).isEqualTo(503);
            connections.get(0).close();
            await().until(() -> post(GOOD, "") == 202);
        } finally {
            limits().limit(Resource.BYTES, 64 << 20, 1 << 20);
        }
    }

    @Test
    void oneAddressHasAShareOfThePostsThatAreNotAnswered() throws Exception {
        limits().limitShare(Resource.REQUESTS, 4);
        try {
            String begun = "POST /comments HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n";
            connect(STRANGER).send(begun);
            connect(STRANGER).send(begun);
            await().until(() -> limits().held(Resource.REQUESTS) == 2);
            assertThat(post(STRANGER, "")).isEqualTo(429);
            assertServed();
        } finally {
            limits().limitShare(Resource.REQUESTS, 10_000);
        }
    }

    /** Headers that are small, but many: each takes an object. */
    @ParameterizedTest
    @ValueSource(strings = {"", "\r\n"})
    void moreThanAHundredHeadersAreRefused(String end) throws Exception {
        assertThat(connect(STRANGER).send(RawConnection.post("a:\r\n".repeat(90), TestPipeline.COMMENT)).status()).isEqualTo(202);
        assertThat(connect(STRANGER).send("GET / HTTP/1.1\r\n" + "a:\r\n".repeat(2_000) + end).status()).isEqualTo(431);
        assertServed();
    }

    @ParameterizedTest
    @ValueSource(strings = {"POST /comments HTTP/1.1\r\nHost: a\r\nContent-Le",
        "POST /comments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{",
        "POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n{"})
    void aRequestThatDoesNotEndIsClosed(String begin) throws Exception {
        long start = System.nanoTime();
        RawConnection slow = connect(STRANGER).send(begin);
        RawConnection idle = connect(STRANGER);
        slow.rest();
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(TIMEOUT.minusMillis(100), TIMEOUT.plusSeconds(3));
        assertThat(idle.send(RawConnection.post("", TestPipeline.COMMENT)).status()).isEqualTo(202);
    }

    /** A stream never ends, so nothing that follows it is ever answered. */
    @Test
    void requestsThatAreSentBeforeAnAnswerAreNotRead() throws Exception {
        RawConnection stranger = connect(STRANGER).send(STREAM + "\r\n");
        assertThat(stranger.status()).isEqualTo(200);
        Thread sender = new Thread(() -> {
            try {
                for (int sent = 0; sent < 10_000_000; sent += 1_000) {
                    stranger.send("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1_000));
                }
            } catch (IOException e) {
                // the test is over
            }
        });
        sender.start();
        await().until(() -> limits().held(Resource.UNHANDLED) == 1);
        sender.join(1_000);
        assertThat(sender.isAlive()).as("the buffers of both sides are full").isTrue();
        assertServed();
        stranger.close();
        sender.join();
    }

    @Test
    void aRequestThatIsNeverAnsweredBecauseItFollowsAStreamIsNotHeld() throws Exception {
        connect(STRANGER).send(STREAM + "\r\nGET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n");
        connect(STRANGER).send(STREAM + "\r\n");
        await().until(() -> limits().held(Resource.UNHANDLED) == 1);
        await().atMost(TIMEOUT.plusSeconds(3)).until(() -> limits().held(Resource.UNHANDLED) == 0);
        await().during(Duration.ofSeconds(1)).until(() -> limits().held(Resource.CONNECTIONS) == 1);
    }

    @Test
    void tooManyRequestsThatAreSentAtOnceBeforeAnAnswerCloseTheConnection() throws Exception {
        reading = new CountDownLatch(1);
        try {
            // a large body, so that the server reads more at once
            String large = TestPipeline.COMMENT + " ".repeat(500_000);
            RawConnection stranger = connect(STRANGER).send(RawConnection.post("", large));
            assertThat(stranger.status()).isEqualTo(202);
            stranger.send("GET /read HTTP/1.1\r\nHost: a\r\n\r\n" + "GET / HTTP/1.1\r\n\r\n".repeat(1_000));
            await().until(() -> limits().held(Resource.CONNECTIONS) == 0);
        } finally {
            reading.countDown();
        }
        assertServed();
    }

    @Test
    void requestsThatAreSentTogetherAreAnsweredInTurn() throws Exception {
        RawConnection client = connect(GOOD);
        client.send(RawConnection.post("", TestPipeline.COMMENT).repeat(99) + RawConnection.post("Connection: close\r\n", TestPipeline.COMMENT));
        assertThat(client.rest().split("HTTP/1.1 202 Accepted", -1)).hasSize(101);
    }

    /** The answers fill the buffers of both sides, so no more requests are read until they are taken. */
    @Test
    void requestsWaitUntilTheAnswersToFormerOnesAreTaken() throws Exception {
        RawConnection client = RawConnection.open(GOOD, pipeline.port(), 4_096);
        connections.add(client);
        String request = "GET /openapi.json HTTP/1.1\r\nHost: a\r\n";
        Thread sender = new Thread(() -> {
            try {
                for (int i = 0; i < 200; i++) {
                    client.send(request + "\r\n");
                }
                client.send(request + "Connection: close\r\n\r\n");
            } catch (IOException e) {
                // the test fails, because answers are missing
            }
        });
        sender.start();
        Thread.sleep(500);
        assertThat(client.rest().split("HTTP/1.1 200 OK", -1)).hasSize(202);
        sender.join();
    }

    @Test
    void anAnswerThatIsNotTakenIsGivenUp() throws Exception {
        for (int i = 0; i < 3; i++) {
            RawConnection stranger = RawConnection.open(STRANGER, pipeline.port(), 4_096);
            connections.add(stranger);
            stranger.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
        }
        await().until(() -> limits().held(Resource.READS) == 3);
        connections.remove(0).close();
        await().atMost(Duration.ofSeconds(1)).until(() -> limits().held(Resource.READS) == 2);
        await().atMost(TIMEOUT.plusSeconds(3)).until(() -> limits().held(Resource.READS) == 0);
    }

    @Test
    void anAnswerThatIsTakenSlowlyIsComplete() throws Exception {
        try (RawConnection client = RawConnection.open(GOOD, pipeline.port(), 65_536)) {
            client.send("GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            Thread.sleep(TIMEOUT.toMillis() / 2);
            assertThat(client.rest()).hasSizeGreaterThan(LARGE);
        }
    }

    /** A worker has its place until the route is done, or closed connections would let any number of requests wait. */
    @Test
    void aPlaceOnWorkersIsKeptUntilItsRouteIsDone() throws Exception {
        reading = new CountDownLatch(1);
        for (int i = 0; i < 3; i++) {
            connect(STRANGER).send("GET /read HTTP/1.1\r\nHost: a\r\n\r\n");
        }
        await().until(() -> limits().held(Resource.READS) == 3);
        for (RawConnection connection : connections) {
            connection.close();
        }
        await().until(() -> limits().held(Resource.CONNECTIONS) == 0);
        assertThat(limits().held(Resource.READS)).isEqualTo(3);
        reading.countDown();
        await().until(() -> limits().held(Resource.READS) == 0);
    }

    @Test
    void connectIsRefused() throws Exception {
        assertThat(connect(STRANGER).send("CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere:443\r\n\r\n").status()).isEqualTo(400);
        assertThat(connect(STRANGER).send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").status()).isBetween(400, 499);
    }
}
