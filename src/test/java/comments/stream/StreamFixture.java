package comments.stream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import comments.EmbeddedBroker;
import comments.http.HttpEngine;
import comments.http.SseClients;
import comments.support.EventStream;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.net.URI;
import java.net.URLEncoder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

/** GET /comments/stream, with the whole application on the embedded servers. */
abstract class StreamFixture {

    static final ObjectMapper JSON = new ObjectMapper();

    static EmbeddedBroker broker;
    static Map<String, String> knobs;
    static TestPipeline pipeline;

    final List<EventStream> streams = new ArrayList<>();
    String post;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        knobs = Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", TestServers.newDatabase(), "POSTGRES_USER", "postgres",
                "COMMENTS_BATCH_INTERVAL", "50");
        pipeline = TestPipeline.start(knobs);
    }

    @AfterAll
    static void stop() {
        pipeline.close();
        broker.close();
    }

    @BeforeEach
    void newPost() {
        post = "post-" + UUID.randomUUID();
    }

    @AfterEach
    void nobodyListensAnyMore() throws Exception {
        for (EventStream stream : streams) {
            stream.close();
        }
        await().until(() -> listeners().count() == 0 && pipeline.bean("platform-http-engine", HttpEngine.class).isIdle());
        assertThat(listeners().topics()).isEmpty();
        await().until(() -> listeners().waiting() == 0);
    }

    static SseClients listeners() {
        return pipeline.bean("sseClients", SseClients.class);
    }

    static URI uri(String post) {
        return pipeline.uri("/comments/stream" + (post == null ? "" : "?postId=" + URLEncoder.encode(post, UTF_8)));
    }

    EventStream listen(String post, String... headers) throws Exception {
        EventStream stream = EventStream.open(uri(post), headers);
        streams.add(stream);
        assertThat(stream.response().statusCode()).isEqualTo(200);
        return stream;
    }

    static Map<String, String> comment(String post, String content) {
        return Map.of("postId", post, "userId", "u", "userName", "Ann", "content", content);
    }

    static String post(String post, String content) throws Exception {
        var response = pipeline.post("/comments", JSON.writeValueAsString(comment(post, content)));
        assertThat(response.statusCode()).as(response.body()).isEqualTo(202);
        return JSON.readTree(response.body()).get("id").asText();
    }

    static List<String> postList(String post, int comments) throws Exception {
        List<Map<String, String>> list = new ArrayList<>();
        for (int i = 0; i < comments; i++) {
            list.add(comment(post, "Comment " + i));
        }
        var response = pipeline.post("/comments", JSON.writeValueAsString(list));
        assertThat(response.statusCode()).as(response.body()).isEqualTo(202);
        List<String> ids = new ArrayList<>();
        JSON.readTree(response.body()).get("ids").forEach(id -> ids.add(id.asText()));
        return ids;
    }

    static int comments(EventStream stream, String field) {
        return stream.events("batch").stream().mapToInt(batch -> batch.json().get(field).asInt()).sum();
    }
}
