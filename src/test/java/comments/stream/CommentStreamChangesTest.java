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
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.camel.builder.RouteBuilder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The stream shows edits and erasures, whether they are pushed or not. */
class CommentStreamChangesTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<JsonNode> PUSHED = new CopyOnWriteArrayList<>();

    private static EmbeddedBroker broker;
    private TestPipeline pipeline;
    private String database;
    // other tests may have left messages in the queues
    private final String post = "post-" + UUID.randomUUID();

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
        database = TestServers.newDatabase();
        pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", database, "POSTGRES_USER",
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
            if (pushed) {
                await().untilAsserted(() -> assertThat(PUSHED).filteredOn(change -> change.path("id").asText().equals(id) && change.has("change"))
                        .extracting(change -> change.path("change").asText()).contains("edited", "erased"));
            } else {
                assertThat(PUSHED).isNotEmpty().noneMatch(comment -> comment.has("change"));
            }
        }
    }

    private EventStream listen(String... headers) throws Exception {
        List<String> all = new ArrayList<>(List.of("Authorization", "Bearer key"));
        Collections.addAll(all, headers);
        return EventStream.open(pipeline.uri("/comments/stream?postId=" + post), all.toArray(String[]::new));
    }

    private String post(String content) throws Exception {
        String id = send("POST", "/comments", TestPipeline.COMMENT.replace("\"p\"", '"' + post + '"').replace("Hi", content)).get("id").asText();
        await().until(() -> send("GET", "/comments/" + id, "").path("content").asText().equals(content));
        return id;
    }

    private void edit(String id, String content) throws Exception {
        send("PATCH", "/comments/" + id, "{\"content\":\"" + content + "\"}");
        await().until(() -> send("GET", "/comments/" + id, "").path("content").asText().equals(content));
    }

    private void erase(String id) throws Exception {
        send("DELETE", "/comments/" + id, "");
        await().until(() -> send("GET", "/comments/" + id, "").path("status").asInt() == 410);
    }

    /** What a client gets that was away since a time, up to the event {@code missed}. */
    private List<EventStream.Event> missed(long sinceMicros) throws Exception {
        try (EventStream again = listen("Last-Event-ID", Long.toString(sinceMicros))) {
            await().until(() -> again.events("missed").size() == 1);
            return again.events().stream().takeWhile(event -> !event.kind().equals("missed")).toList();
        }
    }

    private void makeOld(String... ids) throws Exception {
        try (Connection connection = DriverManager.getConnection(database); Statement statement = connection.createStatement()) {
            statement.execute("UPDATE comments SET accepted_at = accepted_at - interval '1 year', created_at = created_at - interval '1 year'"
                    + " WHERE id::text IN ('" + String.join("','", ids) + "')");
        }
    }

    @Test
    void whoComesBackGetsTheMissedChangesOfCommentsOfAnyAgeInTheirOrder() throws Exception {
        start(false);
        String edited = post("edited long ago");
        String erased = post("erased long ago");
        String untouched = post("untouched");
        makeOld(edited, erased, untouched);
        String fresh = post("fresh");
        edit(edited, "new content");
        erase(erased);
        edit(fresh, "fresh content");
        List<EventStream.Event> missed = missed(System.currentTimeMillis() * 1_000);
        assertThat(missed).extracting(event -> event.kind() + " " + event.json().get("id").asText())
                .containsExactly("comment " + fresh, "edited " + edited, "erased " + erased, "edited " + fresh);
        assertThat(missed).filteredOn(event -> event.kind().equals("edited")).extracting(event -> event.json().get("content").asText())
                .containsExactly("new content", "fresh content");
        assertThat(missed).extracting(EventStream.Event::data).noneMatch(data -> data.contains("long ago"));
    }

    @Test
    void anErasedCommentIsNeverSentWithItsContentToWhoComesBack() throws Exception {
        start(false);
        String id = post("secret");
        edit(id, "secret, too");
        erase(id);
        List<EventStream.Event> missed = missed(1);
        assertThat(missed).extracting(EventStream.Event::kind).containsExactly("erased");
        assertThat(missed.get(0).data()).contains(id).doesNotContain("secret", "Ann");
    }

    @Test
    void missedChangesAreBoundedAndTheLatestAreShown() throws Exception {
        start(false);
        String latest = post("latest");
        try (Connection connection = DriverManager.getConnection(database); Statement statement = connection.createStatement()) {
            statement.execute("INSERT INTO comments (id, post_id, user_id, user_name, content, accepted_at, created_at, edited_at, changed_at)"
                    + " SELECT gen_random_uuid(), '" + post + "', 'u', 'Ann', 'c', now() - interval '1 year', now() - interval '1 year', now(),"
                    + " now() - i * interval '1 second' FROM generate_series(1, 150) i");
        }
        edit(latest, "the latest");
        try (EventStream again = listen("Last-Event-ID", Long.toString((System.currentTimeMillis() - 100_000) * 1_000))) {
            await().until(() -> again.events("missed").size() == 1);
            assertThat(again.events("missed").get(0).json()).isEqualTo(JSON.readTree("{\"shown\":100,\"more\":true}"));
            assertThat(again.events("edited").get(again.events("edited").size() - 1).json().get("content").asText()).isEqualTo("the latest");
        }
    }
}
