package comments.service;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import comments.EmbeddedBroker;
import comments.groupcommit.GroupCommit;
import comments.support.TestPipeline;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** comment-service alone, over real HTTP and a real broker: what is on the wire on both sides. */
class EdgeTest {

    private static final ObjectMapper JSON = new ObjectMapper();

    private static EmbeddedBroker broker;
    private static TestPipeline pipeline;
    private static Connection connection;
    private static Channel channel;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "COMMENTS_ROLES", "comment-service",
                "COMMENTS_CONFIRM_TIMEOUT", "1000", "HTTP_MAX_BODY", "100000"));
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(broker.uri());
        connection = factory.newConnection();
        channel = connection.createChannel();
        channel.queueDeclare("comments", true, false, false, null);
        channel.queueDeclare("elsewhere", true, false, false, null);
    }

    @AfterAll
    static void stop() throws IOException {
        pipeline.close();
        connection.close();
        broker.close();
    }

    @BeforeEach
    void empty() throws IOException {
        channel.queueDeclare("comments", true, false, false, null);
        channel.queuePurge("comments");
    }

    private static HttpResponse<String> post(String body, String... headers) throws IOException, InterruptedException {
        return pipeline.post("/comments", body, headers);
    }

    private static void assertProblem(HttpResponse<String> response, int status) throws IOException {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(response.headers().firstValue("Content-Type")).hasValue("application/problem+json");
        assertThat(JSON.readTree(response.body()).get("status").asInt()).isEqualTo(status);
    }

    /** Sends bytes as they are; returns all that is answered until the server closes. */
    private static String raw(byte[]... parts) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", pipeline.port())) {
            socket.setSoTimeout(10_000);
            OutputStream out = socket.getOutputStream();
            for (byte[] part : parts) {
                out.write(part);
            }
            out.flush();
            return new String(socket.getInputStream().readAllBytes(), UTF_8);
        }
    }

    private static String raw(String request) throws IOException {
        return raw(request.getBytes(US_ASCII));
    }

    private static void assertNothingPublished() throws IOException {
        assertThat(channel.messageCount("comments")).isZero();
    }

    @Test
    void theMessageOnTheWireIsTheContracts() throws Exception {
        HttpResponse<String> response = post(TestPipeline.COMMENT);
        assertThat(response.statusCode()).isEqualTo(202);
        assertThat(response.headers().map()).containsOnlyKeys("content-type", "location", "content-length");
        GetResponse message = channel.basicGet("comments", true);
        assertThat(message.getProps().getDeliveryMode()).as("persistent").isEqualTo(2);
        assertThat(message.getProps().getContentType()).isEqualTo("application/json");
        assertThat(message.getProps().getHeaders()).isEqualTo(Map.of("commentCount", 1));
        JsonNode body = JSON.readTree(message.getBody());
        assertThat(body.isArray()).isTrue();
        assertThat(body.get(0).get("id")).isEqualTo(JSON.readTree(response.body()).get("id"));
    }

    @Test
    void headersAndQueryParametersOfTheCallerAreHarmless() throws Exception {
        HttpResponse<String> response = pipeline.post("/comments?Set-Cookie=a%3Db&CC=elsewhere&commentCount=99&Content-Type=text%2Fplain"
                + "&Idempotency-Key=%20&CamelHttpResponseCode=200&CamelSpringRabbitmqRoutingOverrideKey=elsewhere",
                TestPipeline.COMMENT, "CC", "elsewhere", "CC", "elsewhere", "BCC", "elsewhere", "BCC", "elsewhere",
                "springBatchFormat", "lengthHeader4", "x-death", "a", "x-death", "b", "Authorization", "Bearer secret",
                "X-Test", "echo", "commentCount", "7", "CamelSpringRabbitmqExchangeOverrideName", "elsewhere");
        assertThat(response.statusCode()).isEqualTo(202);
        assertThat(response.headers().map()).containsOnlyKeys("content-type", "location", "content-length");
        GetResponse message = channel.basicGet("comments", true);
        assertThat(message.getProps().getHeaders()).isEqualTo(Map.of("commentCount", 1));
        assertThat(message.getProps().getExpiration()).isNull();
        assertThat(message.getProps().getReplyTo()).isNull();
        assertThat(channel.messageCount("elsewhere")).isZero();
    }

    @Test
    void theKeyIsAHeaderAndNotAQueryParameter() throws Exception {
        String first = post(TestPipeline.COMMENT, "Idempotency-Key", "k").body();
        assertThat(post(TestPipeline.COMMENT, "Idempotency-Key", "k").body()).isEqualTo(first);
        assertThat(pipeline.post("/comments?Idempotency-Key=k", TestPipeline.COMMENT).body()).isNotEqualTo(first);
        assertProblem(post(TestPipeline.COMMENT, "Idempotency-Key", "a", "Idempotency-Key", "b"), 400);
    }

    @Test
    void aMissingQueueIsA503AndNeverA202() throws Exception {
        assertThat(post(TestPipeline.COMMENT).statusCode()).isEqualTo(202);
        channel.queueDelete("comments");
        HttpResponse<String> response = post(TestPipeline.COMMENT);
        assertProblem(response, 503);
        assertThat(response.headers().firstValue("Retry-After")).isPresent();
        channel.queueDeclare("comments", true, false, false, null);
        await().until(() -> post(TestPipeline.COMMENT).statusCode() == 202);
    }

    @Test
    void aBodyThatIsTooLargeIsRefusedByItsLength() throws Exception {
        assertProblem(post("x".repeat(100_001)), 413);
        assertNothingPublished();
    }

    @Test
    void aBodyThatIsTooLargeIsRefusedWhileItComes() throws Exception {
        assertProblem(pipeline.send(HttpRequest.newBuilder(pipeline.uri("/comments")).header("Content-Type", "application/json")
                .POST(BodyPublishers.ofInputStream(() -> new java.io.ByteArrayInputStream(new byte[100_001])))), 413);
        assertNothingPublished();
    }

    @Test
    void aClientThatStillSendsGetsTheAnswer() throws Exception {
        try (Socket socket = new Socket("127.0.0.1", pipeline.port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(("POST /comments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                    + "Content-Length: 100001\r\n\r\n").getBytes(US_ASCII));
            byte[] answer = new byte[12];
            socket.getInputStream().readNBytes(answer, 0, answer.length);
            assertThat(new String(answer, US_ASCII)).isEqualTo("HTTP/1.1 413");
            // a closed connection is reset by the first part, and the next one fails
            for (int sent = 0; sent < 100_001; sent += 33_667) {
                socket.getOutputStream().write(new byte[Math.min(33_667, 100_001 - sent)]);
                Thread.sleep(100);
            }
            assertThat(new String(socket.getInputStream().readAllBytes(), UTF_8)).endsWith("}");
        }
    }

    @Test
    void aBodyOfTheLargestSizeIsTaken() throws Exception {
        String large = TestPipeline.COMMENT + " ".repeat(100_000 - TestPipeline.COMMENT.length());
        assertThat(post(large).statusCode()).isEqualTo(202);
    }

    @Test
    void aUrlThatIsTooLongIsRefused() throws Exception {
        assertThat(raw("POST /comments?" + "a".repeat(9_000) + " HTTP/1.1\r\nHost: a\r\n\r\n"))
                .contains(" 414 ", "application/problem+json", "\"status\":414");
        assertNothingPublished();
    }

    @Test
    void headersThatAreTooLargeAreRefused() throws Exception {
        assertThat(raw("POST /comments HTTP/1.1\r\nHost: a\r\nX-Large: " + "a".repeat(10_000) + "\r\n\r\n"))
                .contains(" 431 ", "application/problem+json", "\"status\":431");
        assertNothingPublished();
    }

    @ParameterizedTest
    @ValueSource(strings = {"GARBAGE\r\n\r\n",
        "POST /comments HTTP/1.1\r\nHost: a\r\nContent-Length: abc\r\n\r\n",
        "POST /comments HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST /comments HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"})
    void whatIsNotHttpIsRefused(String request) throws Exception {
        assertThat(raw(request)).contains(" 400 ", "application/problem+json");
        assertNothingPublished();
    }

    @Test
    void aBrokenChunkEndsTheConnection() throws Exception {
        assertThat(raw("POST /comments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                + "Transfer-Encoding: chunked\r\n\r\nzz\r\n")).doesNotContain(" 202 ");
        assertNothingPublished();
    }

    @Test
    void aBodyThatEndsEarlyPublishesNothing() throws Exception {
        try (Socket socket = new Socket("127.0.0.1", pipeline.port())) {
            socket.getOutputStream().write(("POST /comments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                    + "Content-Length: 1000\r\n\r\n" + TestPipeline.COMMENT).getBytes(US_ASCII));
        }
        assertThat(post(TestPipeline.COMMENT).statusCode()).isEqualTo(202);
        assertThat(channel.messageCount("comments")).isEqualTo(1);
    }

    @Test
    void aCallerWhoLeavesBeforeTheAnswerHarmsNobody() throws Exception {
        for (int i = 0; i < 50; i++) {
            try (Socket socket = new Socket("127.0.0.1", pipeline.port())) {
                socket.setSoLinger(true, 0);
                socket.getOutputStream().write(("POST /comments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                        + "Content-Length: " + TestPipeline.COMMENT.length() + "\r\n\r\n" + TestPipeline.COMMENT)
                        .getBytes(US_ASCII));
            }
        }
        assertThat(post(TestPipeline.COMMENT).statusCode()).isEqualTo(202);
        GroupCommit groupCommit = pipeline.bean("groupCommit", GroupCommit.class);
        await().until(() -> groupCommit.getParked() == 0);
        await().until(() -> pipeline.context().getInflightRepository().size() == 0);
    }

    @Test
    void pipelinedRequestsAreAnsweredInTheirOrder() throws Exception {
        String good = "POST /comments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "
                + TestPipeline.COMMENT.length() + "\r\n\r\n" + TestPipeline.COMMENT;
        String bad = "POST /comments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n{";
        String last = bad.replace("Host: a", "Host: a\r\nConnection: close");
        String answers = raw(good + bad + good + last);
        assertThat(answers.replaceAll("(?s)HTTP/1.1 (\\d+).*?(?=HTTP/1.1|$)", "$1 ")).isEqualTo("202 400 202 400 ");
    }

    @Test
    void otherPathsAndMethodsAreProblemsToo() throws Exception {
        assertProblem(pipeline.send(HttpRequest.newBuilder(pipeline.uri("/nothing")).GET()), 404);
        HttpResponse<String> put = pipeline.send(HttpRequest.newBuilder(pipeline.uri("/comments")).PUT(BodyPublishers.noBody()));
        assertProblem(put, 405);
        assertThat(put.headers().firstValue("Allow")).hasValue("POST");
    }

    @Test
    void theManagementServerListensOnLoopbackOnly() {
        assertThat(pipeline.context().resolvePropertyPlaceholders("{{camel.management.host}}")).isEqualTo("127.0.0.1");
    }
}
