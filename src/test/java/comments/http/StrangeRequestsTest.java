package comments.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.EmbeddedBroker;
import comments.support.ApiKeyHash;
import comments.support.RawConnection;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that two servers could read in different ways, or that hold more than they show. */
class StrangeRequestsTest {

    private static final String CLIENT = "127.0.0.1";
    private static final String KEY = "Authorization: Bearer key\r\n";
    private static final String HIDDEN = "GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n";

    private static EmbeddedBroker broker;
    private static TestPipeline pipeline;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        String hash = ApiKeyHash.of("key");
        pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", TestServers.newDatabase(),
                "POSTGRES_USER", "postgres", "COMMENTS_API_KEYS", "ann:" + hash));
    }

    @AfterAll
    static void stop() {
        pipeline.close();
        broker.close();
    }

    private static RawConnection connect() throws IOException {
        return RawConnection.open(CLIENT, pipeline.port());
    }

    private static void assertNothingIsHeld() {
        ServerLimits.awaitNothingHeld(pipeline);
    }

    /** A proxy that goes by the other header would pass on the rest as a request of another client. */
    @ParameterizedTest
    @ValueSource(strings = {"Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: xchunked", "Transfer-Encoding: identity", "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "Transfer-Encoding : chunked", "Transfer-Encoding: \u000bchunked",
        "Content-Length: 0\r\nContent-Length: 5", "Content-Length: 0, 5", "Content-Length: +5", "Content-Length: -5",
        "Content-Length: 0x5", "Content-Length: 99999999999999999999", "Content-Length : 5", "Content-Length: 5\r\nContent-Length:"})
    void aBodyOfUncertainLengthEndsTheConnection(String headers) throws Exception {
        try (RawConnection connection = connect()) {
            connection.send("POST /comments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + KEY + headers + "\r\n\r\n0\r\n\r\n" + HIDDEN);
            assertThat(connection.rest()).startsWith("HTTP/1.1 400 ").containsOnlyOnce("HTTP/1.1 ");
        }
        assertNothingIsHeld();
    }

    @Test
    void chunksNeedHttp11() throws Exception {
        try (RawConnection connection = connect()) {
            connection.send("POST /comments HTTP/1.0\r\nHost: a\r\n" + KEY + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN);
            assertThat(connection.rest()).startsWith("HTTP/1.0 400 ").containsOnlyOnce("HTTP/1.");
        }
    }

    private static String chunked(String trailers) {
        return "POST /comments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + KEY + "Transfer-Encoding: chunked\r\n\r\n"
                + Integer.toHexString(TestPipeline.COMMENT.length()) + "\r\n" + TestPipeline.COMMENT + "\r\n0\r\n" + trailers;
    }

    /** Headers after the body: thousands of them are small, but their objects are not. */
    @ParameterizedTest
    @ValueSource(strings = {"", "\r\n"})
    void moreThanAHundredHeadersAreRefusedAfterTheBody(String end) throws Exception {
        try (RawConnection connection = connect()) {
            assertThat(connection.send(chunked("a:\r\n".repeat(90) + "\r\n")).status()).isEqualTo(202);
        }
        try (RawConnection connection = connect()) {
            assertThat(connection.send(chunked("a:\r\n".repeat(120) + end)).rest()).doesNotContain(" 202 ");
        }
        assertNothingIsHeld();
    }

    /** A request that is refused drops its own body, and not that of a request that was sent behind it. */
    @Test
    void aRefusedRequestLeavesTheBodyOfTheNextOneAlone() throws Exception {
        try (RawConnection connection = connect()) {
            String comment = TestPipeline.COMMENT;
            String next = RawConnection.post(KEY, comment + " ".repeat(200_000));
            int cut = next.length() - 200_000 - comment.length() + 20;
            connection.send(RawConnection.post(KEY, comment) + RawConnection.post("", comment) + next.substring(0, cut));
            String refused = "HTTP/1.1 401";
            StringBuilder answers = new StringBuilder();
            while (!answers.toString().contains(refused)) {
                answers.append(connection.line()).append('\n');
            }
            connection.send(next.substring(cut, cut + 50_000));
            Thread.sleep(100);
            connection.send(next.substring(cut + 50_000) + RawConnection.post(KEY + "Connection: close\r\n", comment));
            answers.append(connection.rest());
            assertThat(answers.toString().split("HTTP/1.1 202", -1)).hasSize(4);
        }
        assertNothingIsHeld();
    }

    /** {@code //comments} as an address is another server. */
    @Test
    void theLinkToTheNextPageIsOfThisServer() throws Exception {
        for (int i = 0; i < 2; i++) {
            assertThat(pipeline.post("/comments", TestPipeline.COMMENT.replace("\"p\"", "\"linked\""), "Authorization", "Bearer key")
                    .statusCode()).isEqualTo(202);
        }
        for (String path : new String[] {"/comments", "//comments", "/.//comments", "/x/..//comments"}) {
            await().untilAsserted(() -> assertThat(pipeline.send(HttpRequest.newBuilder(pipeline.uri(path + "?postId=linked&limit=1"))
                    .header("Authorization", "Bearer key")).headers().firstValue("Link").orElse("")).as(path)
                    .startsWith("</comments?postId=linked&limit=1&before="));
        }
    }
}
