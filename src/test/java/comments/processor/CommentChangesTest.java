package comments.processor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.MessageProperties;
import comments.EmbeddedBroker;
import comments.support.ApiKeyHash;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Edits and erasures, with the whole application on the embedded servers. */
class CommentChangesTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int WAIT_MILLIS = 3_000;

    private static EmbeddedBroker broker;
    private static TestPipeline pipeline;
    private static Connection database;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        String url = TestServers.newDatabase();
        String hash = ApiKeyHash.of("key");
        pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", url, "POSTGRES_USER", "postgres",
                "COMMENTS_API_KEYS", "ann:" + hash + ":post+read+change", "COMMENTS_BATCH_INTERVAL", "50",
                "COMMENTS_CHANGE_WAIT", "" + WAIT_MILLIS));
        database = DriverManager.getConnection(url);
    }

    @AfterAll
    static void stop() throws SQLException {
        database.close();
        pipeline.close();
        broker.close();
    }

    private static HttpResponse<String> send(String method, String path, String body, String... headers) throws Exception {
        List<String> all = new ArrayList<>(List.of("Authorization", "Bearer key", "Content-Type", "application/json"));
        Collections.addAll(all, headers);
        return pipeline.send(HttpRequest.newBuilder(pipeline.uri(path)).headers(all.toArray(String[]::new))
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body)));
    }

    private static HttpResponse<String> get(String path, String... headers) throws Exception {
        return send("GET", path, null, headers);
    }

    private static String post(String body, String... headers) throws Exception {
        HttpResponse<String> response = send("POST", "/comments", body, headers);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(202);
        return JSON.readTree(response.body()).get("id").asText();
    }

    /** The id of a comment that can be read. */
    private static String written() throws Exception {
        String id = post(TestPipeline.COMMENT);
        await().until(() -> get("/comments/" + id).statusCode() == 200);
        return id;
    }

    private static HttpResponse<String> edit(String id, String content) throws Exception {
        HttpResponse<String> response = send("PATCH", "/comments/" + id, JSON.writeValueAsString(Map.of("content", content)));
        assertThat(response.statusCode()).as(response.body()).isEqualTo(202);
        return response;
    }

    private static HttpResponse<String> erase(String id) throws Exception {
        HttpResponse<String> response = send("DELETE", "/comments/" + id, null);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(202);
        return response;
    }

    private static JsonNode read(String id) throws Exception {
        return JSON.readTree(get("/comments/" + id).body());
    }

    /** Publishes messages straight to the queue, as other processes that accepted changes. */
    private static void publish(String... changes) throws Exception {
        publishTo("comment-changes", changes);
    }

    private static void publishTo(String queue, String... messages) throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(broker.uri());
        try (com.rabbitmq.client.Connection connection = factory.newConnection(); Channel channel = connection.createChannel()) {
            for (String message : messages) {
                channel.basicPublish("", queue, MessageProperties.MINIMAL_PERSISTENT_BASIC,
                        message.getBytes(StandardCharsets.UTF_8));
            }
        }
    }

    private static String comment(String id) {
        return TestPipeline.COMMENT.replace("{", "{\"id\":\"" + id + "\",\"acceptedAt\":\"2026-11-22T14:00:00Z\",");
    }

    private static String edit(String id, int second, String content) {
        return """
                {"id":"%s","kind":"edit","content":"%s","acceptedAt":"2026-11-22T15:00:%02d.000001Z"}""".formatted(id, content, second);
    }

    private static String erasure(String id, int second) {
        return """
                {"id":"%s","kind":"erase","acceptedAt":"2026-11-22T15:00:%02d.000001Z"}""".formatted(id, second);
    }

    private static String select(String sql, Object... values) throws SQLException {
        try (Statement statement = database.createStatement(); ResultSet row = statement.executeQuery(sql.formatted(values))) {
            return row.next() ? row.getString(1) : null;
        }
    }

    /** Waits until a change that was published later than all others is applied. */
    private static void awaitSettled() throws Exception {
        String last = written();
        edit(last, "settled");
        await().until(() -> read(last).get("content").asText().equals("settled"));
    }

    @Test
    void anEditReplacesTheContentAndSaysWhen() throws Exception {
        String id = written();
        JsonNode before = read(id);
        String etag = get("/comments/" + id).headers().firstValue("ETag").orElseThrow();
        HttpResponse<String> response = edit(id, "Better \u2764\ufe0f");
        assertThat(JSON.readTree(response.body()).get("id").asText()).isEqualTo(id);
        await().until(() -> read(id).get("content").asText().equals("Better \u2764\ufe0f"));
        JsonNode after = read(id);
        assertThat(after.get("editedAt").asText()).isGreaterThanOrEqualTo(before.get("acceptedAt").asText());
        for (String field : List.of("id", "postId", "userId", "userName", "acceptedAt", "createdAt")) {
            assertThat(after.get(field)).as(field).isEqualTo(before.get(field));
        }
        assertThat(get("/comments/" + id, "If-None-Match", etag).statusCode()).isEqualTo(200);
    }

    @Test
    void anErasureLeavesThePlaceWithoutThePerson() throws Exception {
        String id = written();
        String reply = post(TestPipeline.COMMENT.replace("}", ",\"parentId\":\"" + id + "\"}"));
        String etag = get("/comments?postId=p&limit=1000").headers().firstValue("ETag").orElseThrow();
        erase(id);
        await().until(() -> get("/comments/" + id).statusCode() == 410);
        HttpResponse<String> gone = get("/comments/" + id);
        assertThat(gone.headers().firstValue("Content-Type")).hasValue("application/problem+json");
        assertThat(gone.body()).contains("erased");
        HttpResponse<String> page = get("/comments?postId=p&limit=1000", "If-None-Match", etag);
        assertThat(page.statusCode()).isEqualTo(200);
        List<JsonNode> places = new ArrayList<>();
        JSON.readTree(page.body()).forEach(comment -> places.add(comment));
        assertThat(places).filteredOn(comment -> comment.get("id").asText().equals(id)).singleElement().satisfies(place -> {
            assertThat(place.properties()).extracting(Map.Entry::getKey)
                    .containsExactlyInAnyOrder("id", "postId", "acceptedAt", "createdAt", "erasedAt");
        });
        await().until(() -> get("/comments/" + id + "/replies").body().contains(reply));
        assertThat(select("SELECT concat(user_id, user_name, content) FROM comments WHERE id = '%s'", id)).isEmpty();
    }

    @Test
    void neitherAnIdempotencyKeyNorARedeliveryBringsItBack() throws Exception {
        String id = post(TestPipeline.COMMENT, "Idempotency-Key", "again");
        await().until(() -> get("/comments/" + id).statusCode() == 200);
        erase(id);
        await().until(() -> get("/comments/" + id).statusCode() == 410);
        assertThat(post(TestPipeline.COMMENT, "Idempotency-Key", "again")).isEqualTo(id);
        publishTo("comments", comment(id));
        String later = post(TestPipeline.COMMENT);
        await().until(() -> get("/comments/" + later).statusCode() == 200);
        awaitSettled();
        assertThat(get("/comments/" + id).statusCode()).isEqualTo(410);
    }

    @Test
    void theEditThatWasAcceptedLastWinsInAnyOrder() throws Exception {
        String id = written();
        publish(edit(id, 3, "third"));
        await().until(() -> read(id).get("content").asText().equals("third"));
        publish("[" + edit(id, 1, "first") + "," + edit(id, 2, "second") + "]");
        awaitSettled();
        assertThat(read(id).get("content").asText()).isEqualTo("third");
        publish("[" + edit(id, 6, "sixth") + "," + edit(id, 4, "fourth") + "," + edit(id, 5, "fifth") + "]");
        await().until(() -> read(id).get("content").asText().equals("sixth"));
        assertThat(read(id).get("editedAt").asText()).isEqualTo("2026-11-22T15:00:06.000Z");
    }

    @Test
    void anErasureWinsOverEveryEdit() throws Exception {
        String id = written();
        String other = written();
        publish("[" + edit(id, 9, "later") + "," + erasure(id, 1) + "," + edit(id, 8, "late") + "]", erasure(other, 1));
        await().until(() -> get("/comments/" + id).statusCode() == 410 && get("/comments/" + other).statusCode() == 410);
        publish(edit(id, 59, "latest"));
        edit(other, "latest");
        erase(other);
        awaitSettled();
        assertThat(select("SELECT concat(content, erased_at = '2026-11-22T15:00:01.000001Z') FROM comments WHERE id = '%s'", id)).isEqualTo("t");
        assertThat(select("SELECT concat(content, erased_at = '2026-11-22T15:00:01.000001Z') FROM comments WHERE id = '%s'", other)).isEqualTo("t");
    }

    @Test
    void aChangeThatOvertakesItsCommentWaitsForItAndHoldsUpNone() throws Exception {
        String erased = UUID.randomUUID().toString();
        String edited = UUID.randomUUID().toString();
        String id = written();
        publish("[" + erasure(erased, 1) + "," + edit(edited, 2, "second") + "]", edit(erased, 3, "third"), edit(edited, 1, "first"), edit(id, 1, "not held up"));
        await().until(() -> read(id).get("content").asText().equals("not held up"));
        assertThat(select("SELECT count(*) FROM comment_changes_waiting WHERE id IN ('%s', '%s')", erased, edited)).isEqualTo("2");
        publishTo("comments", comment(erased), comment(edited));
        await().until(() -> get("/comments/" + erased).statusCode() == 410);
        await().until(() -> read(edited).get("content").asText().equals("second"));
        assertThat(select("SELECT count(*) FROM comment_changes_waiting WHERE id IN ('%s', '%s')", erased, edited)).isEqualTo("0");
    }

    @Test
    void aChangeThatWaitsForTooLongIsQuarantinedWithTheReason() throws Exception {
        String id = UUID.randomUUID().toString();
        edit(id, "nowhere");
        await().until(() -> select("SELECT count(*) FROM comment_changes_waiting WHERE id = '%s'", id).equals("1"));
        String body = "SELECT convert_from(body, 'UTF8') FROM comment_quarantine WHERE reason"
                + " = 'a change of a comment that did not come in " + WAIT_MILLIS + " ms' AND convert_from(body, 'UTF8') LIKE '%%%s%%'";
        JsonNode late = JSON.readTree(await().until(() -> select(body, id), found -> found != null));
        assertThat(late.get("kind").asText()).isEqualTo("edit");
        assertThat(late.get("content").asText()).isEqualTo("nowhere");
        assertThat(late.get("acceptedAt").asText()).matches("\\d{4}-.*\\.\\d{6}Z");
        assertThat(select("SELECT count(*) FROM comment_changes_waiting WHERE id = '%s'", id)).isEqualTo("0");
        assertThat(pipeline.observe("metrics")).containsPattern("comments_changes_quarantined_total [1-9]");
        // what is replayed from the quarantine is applied when the comment is there
        publishTo("comments", comment(id));
        publish(late.toString());
        await().until(() -> read(id).path("content").asText().equals("nowhere"));
    }

    @Test
    void whatIsNoChangeIsQuarantinedAndTheOthersAreApplied() throws Exception {
        String id = written();
        String other = written();
        String unknown = "{\"id\":\"" + id + "\",\"kind\":\"hide\",\"acceptedAt\":\"2026-11-22T15:00:00Z\"}";
        List<String> bad = List.of(unknown, "{\"id\":\"" + id + "\",\"kind\":\"edit\",\"acceptedAt\":\"2026-11-22T15:00:00Z\"}",
                "{\"kind\":\"erase\",\"acceptedAt\":\"2026-11-22T15:00:00Z\"}", "{\"id\":\"" + id + "\",\"kind\":\"erase\"}", "17",
                "{\"id\":\"17\",\"kind\":\"erase\",\"acceptedAt\":\"2026-11-22T15:00:00Z\"}", "{}");
        publish("[" + edit(id, 1, "good") + "," + String.join(",", bad) + "," + edit(other, 1, "good") + "]", "[{");
        await().until(() -> read(id).get("content").asText().equals("good") && read(other).get("content").asText().equals("good"));
        awaitSettled();
        for (String body : bad) {
            assertThat(select("SELECT sqlstate FROM comment_quarantine WHERE body = convert_to('%s', 'UTF8')", body)).as(body).startsWith("22");
        }
        assertThat(select("SELECT reason FROM comment_quarantine WHERE body = convert_to('[{', 'UTF8')")).isEqualTo("not JSON");
    }

    @Test
    void aRedeliveredErasureIsToldOfAgainEvenTogetherWithALaterOne() throws Exception {
        String id = written();
        publish(erasure(id, 1));
        await().until(() -> get("/comments/" + id).statusCode() == 410);
        double before = applied("erase");
        publish("[" + erasure(id, 1) + "," + erasure(id, 2) + "]");
        awaitSettled();
        assertThat(applied("erase")).isEqualTo(before + 1);
        publish(erasure(id, 2));
        awaitSettled();
        assertThat(applied("erase")).as("what it changed was told of").isEqualTo(before + 1);
    }

    /** How many changes of a kind changed a comment, and were told of. */
    private static double applied(String kind) throws Exception {
        return pipeline.observe("metrics").lines().filter(line -> line.startsWith("comments_changes_applied_total{kind=\"" + kind + "\""))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1))).sum();
    }

    @Test
    void bothStatementsSetTheSame() throws Exception {
        assertThat(part("apply-changes", "UPDATE comments", "forgotten AS"))
                .isEqualTo(part("apply-waiting-changes", "UPDATE comments", "late AS"));
    }

    @Test
    void bothStatementsTellTheSame() throws Exception {
        assertThat(part("apply-changes", "json_agg(json_build_object(", "AS notification"))
                .isEqualTo(part("apply-waiting-changes", "json_agg(json_build_object(", "AS notification"));
    }

    /** Of two changes that wait, the same wins, also if one was in the quarantine. */
    @Test
    void bothStatementsLetTheSameWait() throws Exception {
        String conflict = "ON CONFLICT (id) DO UPDATE";
        String end = "EXCLUDED.accepted_at < former.accepted_at END";
        assertThat(part("return-changes", conflict, end)).isEqualToIgnoringWhitespace(part("apply-changes", conflict, end));
    }

    private static String part(String statement, String from, String to) throws IOException {
        String sql = Files.readString(Path.of("routes", "sql", statement + ".sql"));
        return sql.substring(sql.indexOf(from), sql.indexOf(to));
    }
}
