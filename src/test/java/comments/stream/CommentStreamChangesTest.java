package comments.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import comments.EmbeddedBroker;
import comments.support.ApiKeyHash;
import comments.support.EventStream;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.camel.builder.RouteBuilder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The stream shows edits and erasures, whether they are pushed or not. */
class CommentStreamChangesTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<JsonNode> PUSHED = new CopyOnWriteArrayList<>();

    private static EmbeddedBroker broker;
    private TestPipeline pipeline;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    @AfterEach
    void end() {
        pipeline.close();
    }

    private void start(boolean pushed) throws Exception {
        String hash = ApiKeyHash.of("key");
        PUSHED.clear();
        pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", TestServers.newDatabase(), "POSTGRES_USER",
                "postgres", "COMMENTS_API_KEYS", "ann:" + hash + ":post+read+change", "COMMENTS_BATCH_INTERVAL", "50",
                "NOTIFICATIONS_OF_CHANGES", "" + pushed, "NOTIFICATIONS_PUSH_ENDPOINT", "direct:pushed"), new RouteBuilder() {
                    @Override
                    public void configure() {
                        from("direct:pushed").errorHandler(noErrorHandler()).process(exchange ->
                                JSON.readTree(exchange.getMessage().getBody(byte[].class)).forEach(PUSHED::add));
                    }
                });
    }

    private JsonNode send(String method, String path, String body) throws Exception {
        return JSON.readTree(pipeline.send(HttpRequest.newBuilder(pipeline.uri(path))
                .headers("Authorization", "Bearer key", "Content-Type", "application/json")
                .method(method, BodyPublishers.ofString(body))).body());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anEditHasTheNewContentAndAnErasureOnlyThePlace(boolean pushed) throws Exception {
        start(pushed);
        try (EventStream ours = EventStream.open(pipeline.uri("/comments/stream?postId=p"), "Authorization", "Bearer key");
                EventStream others = EventStream.open(pipeline.uri("/comments/stream?postId=q"), "Authorization", "Bearer key");
                EventStream all = EventStream.open(pipeline.uri("/comments/stream"), "Authorization", "Bearer key")) {
            // what is pushed before this process listens to pushes is not shown
            await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofSeconds(2)).until(() -> {
                send("POST", "/comments", TestPipeline.COMMENT);
                return !ours.comments().isEmpty() && !all.comments().isEmpty();
            });
            String id = ours.comments().get(0);
            send("PATCH", "/comments/" + id, "{\"content\":\"Ho\"}");
            await().until(() -> ours.events("edited").size() == 1 && all.events("edited").size() == 1);
            JsonNode edited = ours.events("edited").get(0).json();
            assertThat(edited).isEqualTo(send("GET", "/comments/" + id, ""));
            assertThat(edited.get("content").asText()).isEqualTo("Ho");
            send("DELETE", "/comments/" + id, "");
            await().until(() -> ours.events("erased").size() == 1 && all.events("erased").size() == 1);
            JsonNode erased = ours.events("erased").get(0).json();
            assertThat(erased.properties()).extracting(Map.Entry::getKey)
                    .containsExactlyInAnyOrder("id", "postId", "acceptedAt", "createdAt", "erasedAt");
            assertThat(erased.get("id").asText()).isEqualTo(id);
            assertThat(ours.events("comment")).as("a client does not resume from a comment that was changed").extracting(EventStream.Event::id)
                    .contains(ours.events("edited").get(0).id());
            assertThat(others.events()).isEmpty();
            String change = "{\"id\":\"" + id + "\",\"postId\":\"p\",\"change\":\"%s\"}";
            if (pushed) {
                await().until(() -> PUSHED.containsAll(List.of(JSON.readTree(change.formatted("edited")), JSON.readTree(change.formatted("erased")))));
            } else {
                assertThat(PUSHED).isNotEmpty().noneMatch(comment -> comment.has("change"));
            }
        }
    }
}
