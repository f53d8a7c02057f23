package comments.service;

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
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.camel.builder.RouteBuilder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Comments that bring their ids and times, from the request to the table, pushes and the stream. */
class ImportTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String[] IMPORTER = {"Authorization", "Bearer importer's"};

    private static EmbeddedBroker broker;
    private static Map<String, String> settings;
    private static TestPipeline pipeline;
    private static final List<String> PUSHED = new CopyOnWriteArrayList<>();

    private final String post = UUID.randomUUID().toString();

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        settings = Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", TestServers.newDatabase(), "POSTGRES_USER", "postgres",
                "NOTIFICATIONS_PUSH_ENDPOINT", "direct:push-here",
                "COMMENTS_API_KEYS", "importer:" + ApiKeyHash.of("importer's") + ":post+import+read,ann:" + ApiKeyHash.of("ann's"));
        pipeline = TestPipeline.start(settings, pushes());
    }

    @AfterAll
    static void stop() {
        pipeline.close();
        broker.close();
    }

    private static RouteBuilder pushes() {
        return new RouteBuilder() {
            @Override
            public void configure() {
                from("direct:push-here").errorHandler(noErrorHandler()).process(exchange ->
                        JSON.readTree(exchange.getMessage().getBody(byte[].class)).forEach(comment -> PUSHED.add(comment.get("id").asText())));
            }
        };
    }

    private String comment(String content, Object id, String acceptedAt, Object parent) {
        Map<String, Object> comment = new HashMap<>(Map.of("postId", post, "userId", "u", "userName", "Ann", "content", content));
        comment.put("id", id);
        comment.put("acceptedAt", acceptedAt);
        comment.put("parentId", parent);
        comment.values().removeIf(java.util.Objects::isNull);
        return JSON.valueToTree(comment).toString();
    }

    private static List<String> post(TestPipeline to, String... comments) throws Exception {
        HttpResponse<String> response = to.post("/comments", "[" + String.join(",", comments) + "]", IMPORTER);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(202);
        List<String> ids = new ArrayList<>();
        JSON.readTree(response.body()).get("ids").forEach(id -> ids.add(id.asText()));
        return ids;
    }

    private static JsonNode get(String path) throws Exception {
        return JSON.readTree(pipeline.send(HttpRequest.newBuilder(pipeline.uri(path)).headers(IMPORTER)).body());
    }

    private static boolean isThere(String id) throws Exception {
        return get("/comments/" + id).has("content");
    }

    private static void awaitWritten(String... comments) throws Exception {
        List<String> ids = post(pipeline, comments);
        for (String id : ids) {
            await().until(() -> isThere(id));
        }
    }

    private static String table() throws Exception {
        return select("SELECT string_agg(c::text, E'\\n' ORDER BY id) FROM comments c");
    }

    private static String select(String sql) throws Exception {
        try (Connection connection = DriverManager.getConnection(settings.get("POSTGRES_URL"));
                ResultSet rows = connection.createStatement().executeQuery(sql)) {
            rows.next();
            return String.valueOf(rows.getString(1));
        }
    }

    @Test
    void datesAndThreadsStay() throws Exception {
        UUID parent = UUID.randomUUID();
        UUID reply = UUID.randomUUID();
        assertThat(post(pipeline, comment("Reply", reply, "2009-02-01T12:00:00.123456+01:00", parent),
                comment("First!", parent, "2009-01-01T00:00:00Z", null))).containsExactly(reply.toString(), parent.toString());
        await().until(() -> isThere(reply.toString()) && isThere(parent.toString()));
        JsonNode page = get("/comments?postId=" + post);
        assertThat(page.findValuesAsText("content")).containsExactly("Reply", "First!");
        assertThat(page.findValuesAsText("acceptedAt")).containsExactly("2009-02-01T11:00:00.123Z", "2009-01-01T00:00:00.000Z");
        assertThat(get("/comments/" + parent + "/replies").findValuesAsText("id")).containsExactly(reply.toString());
    }

    @Test
    void importingAgainChangesNothing() throws Exception {
        String one = comment("one", UUID.randomUUID(), "2009-01-01T00:00:00Z", null);
        String two = comment("two", UUID.randomUUID(), "2009-01-02T00:00:00Z", null);
        awaitWritten(one, two, one);
        String before = table();
        post(pipeline, two);
        post(pipeline, two, one);
        post(pipeline, one.replace("\"one\"", "\"another\""));
        awaitWritten(comment("last", UUID.randomUUID(), null, null));
        assertThat(table()).contains("last").containsSubsequence(before.lines().toList());
        assertThat(table().lines().filter(row -> row.contains(post))).hasSize(3).noneMatch(row -> row.contains("another"));
        await().until(() -> !select("SELECT string_agg(convert_from(body, 'UTF8'), '') FROM comment_quarantine").equals("null"));
        assertThat(JSON.readTree(select("SELECT convert_from(body, 'UTF8') FROM comment_quarantine")).get("content").asText()).isEqualTo("another");
        assertThat(select("SELECT count(*) FROM comment_quarantine")).isEqualTo("1");
    }

    @Test
    void onlyWhatIsNewIsPushedAndStreamed() throws Exception {
        UUID old = UUID.randomUUID();
        try (EventStream stream = EventStream.open(pipeline.uri("/comments/stream?postId=" + post), IMPORTER)) {
            List<String> ids = post(pipeline, comment("old", old, "2009-01-01T00:00:00Z", null), comment("new", null, null, null),
                    comment("its own id", UUID.randomUUID(), null, null));
            await().until(() -> stream.comments().size() == 2);
            assertThat(stream.comments()).containsExactlyInAnyOrderElementsOf(ids.subList(1, 3));
            assertThat(PUSHED).containsAll(ids.subList(1, 3)).doesNotContain(old.toString());
            assertThat(isThere(old.toString())).isTrue();
        }
    }

    @Test
    void aBatchOfImportsAloneIsAcknowledgedWithoutANotification() throws Exception {
        String id = post(pipeline, comment("old", UUID.randomUUID(), "2009-01-01T00:00:00Z", null)).get(0);
        await().until(() -> isThere(id));
        await().until(() -> pipeline.observe("metrics").contains("comments_unsettled 0.0"));
        assertThat(PUSHED).doesNotContain(id);
    }

    @Test
    void theSettingPushesImportsToo() throws Exception {
        Map<String, String> more = new HashMap<>(settings);
        more.put("NOTIFICATIONS_IMPORTS", "true");
        more.put("POSTGRES_URL", TestServers.newDatabase());
        try (EmbeddedBroker other = EmbeddedBroker.startInMemory()) {
            more.put("RABBITMQ_URI", other.uri());
            try (TestPipeline pushing = TestPipeline.start(more, pushes())) {
                String id = post(pushing, comment("old", UUID.randomUUID(), "2009-01-01T00:00:00Z", null)).get(0);
                await().until(() -> PUSHED.contains(id));
            }
        }
    }

    @Test
    void withoutTheScopeNothingIsImported() throws Exception {
        UUID id = UUID.randomUUID();
        for (String body : Arrays.asList(comment("a", id, null, null), comment("a", id, "2009-01-01T00:00:00Z", null),
                "[" + comment("b", null, null, null) + "," + comment("a", id, "2009-01-01T00:00:00Z", null) + "]")) {
            HttpResponse<String> response = pipeline.post("/comments", body, "Authorization", "Bearer ann's", "Idempotency-Key", "k");
            assertThat(response.statusCode()).isEqualTo(403);
            assertThat(JSON.readTree(response.body()).get("detail").asText()).isEqualTo("This API key lacks the scope import.");
        }
        awaitWritten(comment("last", null, null, null));
        assertThat(get("/comments?postId=" + post).findValuesAsText("content")).doesNotContain("a", "b");
    }
}
