package comments.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.EmbeddedBroker;
import comments.http.ClientLimits.Resource;
import comments.support.Http2Connection;
import comments.support.TestCertificate;
import comments.support.TestPipeline;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.camel.builder.RouteBuilder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients of HTTP/2 that give no stream a window: no body of an answer can be sent. */
class Http2LimitsTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(3);

    @TempDir
    static Path folder;

    private static EmbeddedBroker broker;
    private static TestPipeline pipeline;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        TestCertificate certificate = TestCertificate.create(folder);
        pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "COMMENTS_ROLES", "comment-service",
                "comments.event-loop-endpoints", "POST /comments, GET /loop/large, GET /loop/open",
                "HTTP_CLIENT_TIMEOUT", Long.toString(TIMEOUT.toMillis()), "HTTP_TLS_KEY", certificate.keyFile().toString(),
                "HTTP_TLS_CERTIFICATE", certificate.certificateFile().toString()),
                new RouteBuilder() {
                    @Override
                    public void configure() {
                        from("platform-http:/large").setBody(constant(new byte[1_000_000]));
                        from("platform-http:/loop/large?httpMethodRestrict=GET").setBody(constant(new byte[1_000_000]));
                        EventLoopConsumer.OpenResponse open = response -> response.write("begun");
                        from("platform-http:/loop/open?httpMethodRestrict=GET").setBody(constant(open));
                    }
                });
    }

    @AfterAll
    static void stop() {
        pipeline.close();
        broker.close();
    }

    private static Http2Connection get(String path) throws Exception {
        Http2Connection connection = Http2Connection.open("127.0.0.1", pipeline.port());
        connection.headers(1, true, ":method", "GET", ":scheme", "https", ":authority", "a", ":path", path);
        return connection;
    }

    private static void assertReleased(Resource resource, long held, String path) throws Exception {
        ClientLimits limits = ServerLimits.of(pipeline);
        Http2Connection slow = get(path);
        try (Http2Connection closed = get(path)) {
            await().until(() -> limits.held(resource) == 2 * held);
        }
        await().atMost(Duration.ofSeconds(1)).until(() -> limits.held(resource) == held);
        await().atMost(TIMEOUT.plusSeconds(3)).until(() -> limits.held(resource) == 0);
        // Netty holds the body of an answer as long as the stream is open
        await().atMost(Duration.ofSeconds(1)).until(() -> limits.held(Resource.STREAMS) == 0);
        assertThat(slow.isClosed()).isFalse();
        slow.close();
    }

    @Test
    void anAnswerOfAWorkerThatIsNotTakenIsGivenUp() throws Exception {
        assertReleased(Resource.READS, 1, "/large");
    }

    @Test
    void anAnswerOfTheEventLoopThatIsNotTakenIsGivenUp() throws Exception {
        assertReleased(Resource.BYTES, 1_000_000, "/loop/large");
    }

    @Test
    void aBodyThatDoesNotEndIsReset() throws Exception {
        ClientLimits limits = ServerLimits.of(pipeline);
        try (Http2Connection slow = Http2Connection.open("127.0.0.1", pipeline.port())) {
            slow.open(1, ":method", "POST", ":scheme", "https", ":authority", "a", ":path", "/comments");
            await().until(() -> limits.held(Resource.REQUESTS) == 1);
            assertThat(slow.answerOrEnd(1)).isTrue();
            await().until(() -> limits.held(Resource.REQUESTS) == 0);
        }
    }

    /** An answer without an end, as that of a stream of comments, may take any time. */
    @Test
    void aSmallAnswerThatIsNotTakenIsReset() throws Exception {
        try (Http2Connection slow = get("/nothing")) {
            slow.headers(3, true, headers("/loop/open", 0));
            await().until(() -> limits().held(Resource.STREAMS) == 2);
            await().atMost(TIMEOUT.plusSeconds(3)).until(() -> limits().held(Resource.STREAMS) == 1);
            await().during(TIMEOUT).atMost(TIMEOUT.plusSeconds(3)).until(() -> limits().held(Resource.STREAMS) == 1);
            slow.reset(3);
            await().until(() -> limits().held(Resource.STREAMS) == 0);
        }
    }

    /** The first is answered before its end, the second waits for the rest of its body. */
    @Test
    void aRequestThatDoesNotEndIsReset() throws Exception {
        try (Http2Connection slow = Http2Connection.open("127.0.0.1", pipeline.port())) {
            slow.open(1, headers("/nothing", 0));
            slow.window(1, 100_000);
            slow.open(3, ":method", "POST", ":scheme", "https", ":authority", "a", ":path", "/large");
            await().until(() -> limits().held(Resource.STREAMS) == 2);
            await().atMost(TIMEOUT.plusSeconds(3)).until(() -> limits().held(Resource.STREAMS) == 0);
            assertThat(slow.isClosed()).isFalse();
        }
    }

    @Test
    void anAnswerThatIsTakenSlowlyIsNotGivenUp() throws Exception {
        try (Http2Connection slow = get("/loop/large")) {
            await().until(() -> limits().held(Resource.BYTES) == 1_000_000);
            for (int i = 0; i < 6; i++) {
                slow.window(0, 70_000);
                slow.window(1, 70_000);
                Thread.sleep(TIMEOUT.toMillis() / 2);
                assertThat(limits().held(Resource.BYTES)).isEqualTo(1_000_000);
            }
            await().atMost(TIMEOUT.plusSeconds(3)).until(() -> limits().held(Resource.BYTES) == 0);
        }
        assertNothingIsHeld();
    }

    private static ClientLimits limits() {
        return ServerLimits.of(pipeline);
    }

    private static String[] headers(String path, int more) {
        List<String> headers = new ArrayList<>(List.of(":method", "GET", ":scheme", "https", ":authority", "a", ":path", path));
        for (int i = 0; i < more; i++) {
            headers.addAll(List.of("a", ""));
        }
        return headers.toArray(String[]::new);
    }

    /** Each holds its headers until it is closed, whether it is answered or not. */
    @Test
    void oneAddressHasAShareOfTheStreams() throws Exception {
        limits().limit(Resource.STREAMS, 20, 1);
        try (Http2Connection stranger = Http2Connection.open("127.0.0.1", pipeline.port());
                Http2Connection good = Http2Connection.open("127.0.0.2", pipeline.port())) {
            for (int i = 0; i < 30; i++) {
                stranger.open(2 * i + 1, headers("/nothing", 0));
            }
            assertThat(stranger.answerOrEnd(59)).isTrue();
            await().during(Duration.ofMillis(300)).until(() -> limits().held(Resource.STREAMS) == 10);
            good.headers(1, true, headers("/openapi.json", 0));
            assertThat(good.answerOrEnd(1)).isTrue();
            assertThat(limits().held(Resource.STREAMS)).as("its body waits for the client").isEqualTo(11);
        } finally {
            limits().limit(Resource.STREAMS, 16_384, 1);
        }
        await().until(() -> limits().held(Resource.STREAMS) == 0);
    }

    @Test
    void aStreamWithMoreThanAHundredHeadersIsNotHeld() throws Exception {
        try (Http2Connection connection = Http2Connection.open("127.0.0.1", pipeline.port())) {
            for (int i = 0; i < 20; i++) {
                connection.open(2 * i + 1, headers("/nothing", 150));
            }
            assertThat(connection.answerOrEnd(39)).isTrue();
            await().until(() -> limits().held(Resource.STREAMS) == 0);
            connection.open(41, headers("/nothing", 90));
            assertThat(connection.answerOrEnd(41)).isTrue();
            assertThat(limits().held(Resource.STREAMS)).isEqualTo(1);
            assertThat(connection.isClosed()).isFalse();
        }
        await().until(() -> limits().held(Resource.STREAMS) == 0);
    }

    private static void assertNothingIsHeld() {
        ClientLimits limits = limits();
        for (Resource resource : List.of(Resource.REQUESTS, Resource.READS, Resource.BYTES)) {
            await().during(Duration.ofMillis(300)).untilAsserted(() -> assertThat(limits.held(resource)).as(resource.name()).isZero());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "-1", "99999999999999999999", "5", "5, 6"})
    void aBodyOfAnotherLengthThanAnnouncedIsAnsweredOrReset(String length) throws Exception {
        try (Http2Connection connection = Http2Connection.open("127.0.0.1", pipeline.port())) {
            connection.headers(1, true, ":method", "POST", ":scheme", "https", ":authority", "a", ":path", "/comments",
                    "content-type", "application/json", "content-length", length);
            assertThat(connection.answerOrEnd(1)).isTrue();
        }
        assertNothingIsHeld();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "*", "comments", "?postId=p", "https://a/comments", "//comments", "/%zz", "/comments/%00"})
    void aStrangePathIsAnsweredOrReset(String path) throws Exception {
        try (Http2Connection connection = Http2Connection.open("127.0.0.1", pipeline.port())) {
            connection.headers(1, true, ":method", "GET", ":scheme", "https", ":authority", "a", ":path", path);
            assertThat(connection.answerOrEnd(1)).isTrue();
        }
        assertNothingIsHeld();
    }

    /** Some are reset while their route runs, some when they are answered. */
    @Test
    void requestsThatAreResetAreNotCountedTwice() throws Exception {
        try (Http2Connection connection = Http2Connection.open("127.0.0.1", pipeline.port())) {
            for (int i = 0; i < 50; i++) {
                int stream = 2 * i + 1;
                String path = i % 3 == 0 ? "/large" : i % 3 == 1 ? "/loop/large" : "/comments";
                connection.headers(stream, true, ":method", i % 3 == 2 ? "POST" : "GET", ":scheme", "https", ":authority", "a",
                        ":path", path);
                if (i % 2 == 0) {
                    Thread.sleep(i % 5);
                }
                connection.reset(stream);
            }
            assertNothingIsHeld();
        }
    }

    @Test
    void connectHasNoPathAndIsRefused() throws Exception {
        try (Http2Connection connection = Http2Connection.open("127.0.0.1", pipeline.port())) {
            connection.headers(1, true, ":method", "CONNECT", ":authority", "elsewhere:443");
            assertThat(connection.answerOrEnd(1)).isTrue();
            assertThat(connection.isClosed()).isFalse();
        }
    }
}
