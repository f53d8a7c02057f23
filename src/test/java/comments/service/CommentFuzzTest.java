package comments.service;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import comments.EmbeddedBroker;
import comments.support.TestPipeline;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.Tuple;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/**
 * Random and mutated bodies, headers and paths, as bytes on the wire. A 202 means that exactly this comment is in the
 * queue; anything else means that nothing is; no input is answered with a 5xx. {@code -Djqwik.tries.default=100000} makes a
 * long run of it.
 */
class CommentFuzzTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final byte[] COMMENT = """
            {"postId":"p-1","userId":"ü-1","userName":"Ann \\ud83c\\udf89","content":"Hi\\n\\"there\\"",\
            "parentId":"01a203e0-e52b-70a1-b154-faa7274d2213"}""".getBytes(UTF_8);
    private static final int MOST_GROWTH_BYTES = 32 << 20;

    private static EmbeddedBroker broker;
    private static TestPipeline pipeline;
    private static Connection connection;
    private static Channel channel;
    private static long usedBefore;
    private static int accepted;

    @BeforeContainer
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "COMMENTS_ROLES", "comment-service",
                "HTTP_MAX_BODY", "20000"));
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(broker.uri());
        connection = factory.newConnection();
        channel = connection.createChannel();
        channel.queueDeclare("comments", true, false, false, null);
        usedBefore = used();
    }

    @AfterContainer
    static void stop() throws IOException {
        try {
            assertThat(accepted).as("it is not all refused").isGreaterThan(100);
            assertThat(used()).as("memory is flat").isLessThan(usedBefore + MOST_GROWTH_BYTES);
        } finally {
            pipeline.close();
            connection.close();
            broker.close();
        }
    }

    private static long used() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    @Provide
    Arbitrary<byte[]> bodies() {
        Arbitrary<String> text = Arbitraries.strings().ofMaxLength(220);
        Arbitrary<byte[]> comments = Combinators.combine(text, text, text, text).as(CommentFuzzTest::comment);
        Arbitrary<byte[]> lists = comments.list().ofMaxSize(4).map(list -> join('[', list, ']'));
        Arbitrary<byte[]> mutated = Combinators.combine(Arbitraries.oneOf(comments, Arbitraries.just(COMMENT)),
                Arbitraries.integers().between(0, 10_000), Arbitraries.integers().between(0, 40),
                Arbitraries.bytes().array(byte[].class).ofMaxSize(6)).as(CommentFuzzTest::mutate);
        Arbitrary<byte[]> soup = Arbitraries.of("{", "}", "[", "]", ":", ",", "\"", "\"postId\"", "\"userId\"", "\"userName\"",
                "\"content\"", "null", "1e999", "-0", "\\u0000", "\\ud800", "true", " ", "\n", "\uFEFF", "\"a\"").list()
                .ofMaxSize(60).map(parts -> String.join("", parts).getBytes(UTF_8));
        Arbitrary<byte[]> noise = Arbitraries.bytes().array(byte[].class).ofMaxSize(300);
        return Arbitraries.oneOf(comments, lists, mutated, mutated, soup, noise);
    }

    @Provide
    Arbitrary<String> targets() {
        return Arbitraries.frequencyOf(Tuple.of(8, Arbitraries.just("/comments")),
                Tuple.of(1, Arbitraries.strings().withCharRange('!', '~').ofMaxLength(30)
                        .map(query -> "/comments?" + query)),
                Tuple.of(1, Arbitraries.strings().withCharRange('!', '~').ofMaxLength(30).map(path -> "/" + path)));
    }

    @Provide
    Arbitrary<String> headers() {
        Arbitrary<String> name = Arbitraries.oneOf(Arbitraries.of("CC", "BCC", "springBatchFormat", "x-death", "authorization",
                "Accept", "CamelHttpUri", "Origin", "Cookie", "X-HTTP-Method-Override"),
                Arbitraries.strings().alpha().ofMinLength(1).ofMaxLength(12).map(word -> "x-" + word));
        Arbitrary<String> value = Arbitraries.strings().withCharRange(' ', '~').ofMaxLength(40);
        return Combinators.combine(name, value).as((n, v) -> n + ": " + v + "\r\n").list().ofMaxSize(5)
                .map(lines -> String.join("", lines));
    }

    private static byte[] comment(String postId, String userId, String userName, String content) {
        ObjectNode comment = JSON.createObjectNode().put("postId", postId).put("userId", userId).put("userName", userName)
                .put("content", content);
        try {
            return JSON.writeValueAsBytes(comment);
        } catch (IOException e) {
            // half a surrogate pair
            return comment.toString().getBytes(UTF_8);
        }
    }

    private static byte[] join(char first, List<byte[]> parts, char last) {
        ByteArrayOutputStream joined = new ByteArrayOutputStream();
        joined.write(first);
        for (int i = 0; i < parts.size(); i++) {
            if (i > 0) {
                joined.write(',');
            }
            joined.writeBytes(parts.get(i));
        }
        joined.write(last);
        return joined.toByteArray();
    }

    /** Replaces some bytes of a body by others. */
    private static byte[] mutate(byte[] body, int place, int length, byte[] by) {
        int from = place % body.length;
        ByteArrayOutputStream mutated = new ByteArrayOutputStream();
        mutated.write(body, 0, from);
        mutated.writeBytes(by);
        int to = Math.min(body.length, from + length);
        mutated.write(body, to, body.length - to);
        return mutated.toByteArray();
    }

    @Property(tries = 2_000, shrinking = ShrinkingMode.BOUNDED)
    void a202MeansThatExactlyThisIsInTheQueueAndAnythingElseThatNothingIs(@ForAll("targets") String target,
            @ForAll("headers") String headers, @ForAll("bodies") byte[] body) throws Exception {
        String answer = send(target, headers, body);
        int status = answer.isEmpty() ? 0 : Integer.parseInt(answer.substring(9, 12));
        if (status != 202) {
            assertThat(status).as(answer).satisfiesAnyOf(
                    code -> assertThat(code).isBetween(300, 499), closed -> assertThat(closed).isZero());
            assertThat(channel.messageCount("comments")).isZero();
            return;
        }
        accepted++;
        GetResponse message = channel.basicGet("comments", true);
        assertThat(channel.messageCount("comments")).isZero();
        assertThat(message.getProps().getHeaders()).containsOnlyKeys("commentCount");
        JsonNode posted = JSON.readTree(body);
        ArrayNode expected = posted.isArray() ? (ArrayNode) posted : JSON.createArrayNode().add(posted);
        JsonNode published = JSON.readTree(message.getBody());
        assertThat(published).hasSize(expected.size());
        for (int i = 0; i < expected.size(); i++) {
            assertThat(answer).contains(published.get(i).get("id").asText());
            ObjectNode comment = published.get(i).deepCopy();
            comment.remove(List.of("id", "acceptedAt"));
            assertThat(comment).isEqualTo(expected.get(i));
        }
    }

    /** The answer, or "" if the connection was closed without one. */
    private static String send(String target, String headers, byte[] body) throws IOException {
        byte[] head = ("POST " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
                + headers + "Content-Length: " + body.length + "\r\n\r\n").getBytes(ISO_8859_1);
        byte[] request = Arrays.copyOf(head, head.length + body.length);
        System.arraycopy(body, 0, request, head.length, body.length);
        try (Socket socket = new Socket("127.0.0.1", pipeline.port())) {
            socket.setSoTimeout(10_000);
            OutputStream out = socket.getOutputStream();
            out.write(request);
            out.flush();
            return new String(socket.getInputStream().readAllBytes(), UTF_8);
        } catch (SocketException e) {
            return "";
        }
    }
}
