package comments.http;

import static org.assertj.core.api.Assertions.assertThat;

import comments.EmbeddedBroker;
import comments.http.ClientLimits.Resource;
import comments.support.RawConnection;
import comments.support.TestPipeline;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.camel.builder.RouteBuilder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Answers that are too large for the buffers of the kernel, and clients of HTTP/1 that take little of them. */
class LargeAnswersTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(2);
    private static final int LARGE = 20_000_000;
    private static final long LIMIT = 3L * LARGE + 1;
    private static final int SMALL_BUFFER = 4_096;

    private static EmbeddedBroker broker;
    private static TestPipeline pipeline;

    private final List<RawConnection> connections = new ArrayList<>();

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "COMMENTS_ROLES", "comment-service",
                "comments.event-loop-endpoints", "POST /comments, GET /loop/large, HEAD /loop/large, POST /loop/large",
                "HTTP_CLIENT_TIMEOUT", Long.toString(TIMEOUT.toMillis())),
                new RouteBuilder() {
                    @Override
                    public void configure() {
                        from("platform-http:/large").setBody(constant(new byte[LARGE]));
                        from("platform-http:/loop/large?httpMethodRestrict=GET").setBody(constant(new byte[LARGE]));
                        from("platform-http:/loop/large?httpMethodRestrict=POST").setBody(constant(new byte[LARGE]));
                    }
                });
        // room for three answers, and for a request
        limits().limit(Resource.BYTES, LIMIT, 1);
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
        ServerLimits.awaitNothingHeld(pipeline);
    }

    private static ClientLimits limits() {
        return ServerLimits.of(pipeline);
    }

    private int status(String from, String method) throws IOException {
        RawConnection connection = RawConnection.open(from, pipeline.port(), SMALL_BUFFER);
        connections.add(connection);
        return connection.send(method + " /loop/large HTTP/1.1\r\nHost: a\r\n\r\n").status();
    }

    /** An answer to a post is a promise: it is sent whatever is held. */
    @Test
    void oneAddressHasAShareOfTheBytesOfAnswers() throws Exception {
        assertThat(status("127.0.0.1", "GET")).isEqualTo(200);
        assertThat(limits().held(Resource.BYTES)).isEqualTo(LARGE);
        assertThat(status("127.0.0.1", "GET")).isEqualTo(429);
        assertThat(status("127.0.0.1", "HEAD")).isEqualTo(200);
        assertThat(limits().held(Resource.BYTES)).isEqualTo(LARGE);
        assertThat(status("127.0.0.2", "GET")).isEqualTo(200);
        assertThat(status("127.0.0.3", "GET")).isEqualTo(200);
        assertThat(status("127.0.0.4", "GET")).isEqualTo(503);
        assertThat(status("127.0.0.4", "POST")).isEqualTo(200);
    }

    @Test
    void anAnswerThatIsLargerThanTheLimitIsSentWhenNothingElseIsHeld() throws Exception {
        limits().limit(Resource.BYTES, LARGE / 2, 1);
        try {
            assertThat(status("127.0.0.1", "GET")).isEqualTo(200);
            assertThat(status("127.0.0.2", "GET")).isEqualTo(503);
        } finally {
            limits().limit(Resource.BYTES, LIMIT, 1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/large", "/loop/large"})
    void anAnswerThatIsTakenSlowlyIsComplete(String path) throws Exception {
        try (RawConnection client = RawConnection.open("127.0.0.1", pipeline.port(), 65_536)) {
            client.send("GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            int read = 0;
            for (int i = 0; i < 12; i++) {
                Thread.sleep(TIMEOUT.toMillis() / 4);
                read += client.read(LARGE / 20);
            }
            assertThat(read + client.rest().length()).isGreaterThan(LARGE);
        }
    }
}
