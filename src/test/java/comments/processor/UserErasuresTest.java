package comments.processor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.MessageProperties;
import comments.EmbeddedBroker;
import comments.postgresql.PostgresDataSource;
import comments.support.ApiKeyHash;
import comments.support.TestMetrics;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Erasures of all comments of a user, with the whole application on the embedded servers. Each test has users of its own. */
class UserErasuresTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final String PAST = "2026-01-01T00:00:00Z";

    private static EmbeddedBroker broker;
    private static TestPipeline pipeline;
    private static String url;
    private static Connection database;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        url = TestServers.newDatabase();
        pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", url, "POSTGRES_USER", "postgres",
                "COMMENTS_API_KEYS", "ann:" + ApiKeyHash.of("key") + ":post+read+change", "COMMENTS_BATCH_INTERVAL", "50"));
        database = DriverManager.getConnection(url);
    }

    @AfterAll
    static void stop() throws SQLException {
        database.close();
        pipeline.close();
        broker.close();
    }

    private static HttpResponse<String> send(String method, String path, String body) throws Exception {
        return pipeline.send(HttpRequest.newBuilder(pipeline.uri(path)).header("Authorization", "Bearer key")
                .header("Content-Type", "application/json")
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body)));
    }

    private static String post(String user, String content) throws Exception {
        HttpResponse<String> response = send("POST", "/comments", JSON.writeValueAsString(fields(user, content)));
        assertThat(response.statusCode()).as(response.body()).isEqualTo(202);
        return JSON.readTree(response.body()).get("id").asText();
    }

    private static Map<String, String> fields(String user, String content) {
        return new HashMap<>(Map.of("postId", "p", "userId", user, "userName", "Ann", "content", content));
    }

    private static String written(String user) throws Exception {
        String id = post(user, "of " + user);
        awaitStatus(200, id);
        return id;
    }

    private static void awaitStatus(int status, String id) {
        await().atMost(LIMIT).until(() -> send("GET", "/comments/" + id, null).statusCode() == status);
    }

    private static String eraseAllOf(String user) throws Exception {
        HttpResponse<String> response = send("DELETE", "/users/" + URLEncoder.encode(user, StandardCharsets.UTF_8).replace("+", "%20") + "/comments", null);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(202);
        assertThat(response.headers().firstValue("Location")).isEmpty();
        return JSON.readTree(response.body()).get("id").asText();
    }

    /** Waits until all comments of a user were searched, and what was found is erased. */
    private static void awaitErased(String user) throws Exception {
        await().atMost(LIMIT).until(() -> number("SELECT count(*) FROM user_erasures WHERE user_hash = sha256(convert_to('%s', 'UTF8'))", user) == 1
                && number("SELECT count(*) FROM user_erasures_running") == 0);
        await().atMost(LIMIT).until(() -> ofUser(user) == 0);
    }

    private static long ofUser(String user) throws SQLException {
        return number("SELECT count(*) FROM comments WHERE user_id = '%s'", user);
    }

    private static void publish(String queue, String... messages) throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(broker.uri());
        try (com.rabbitmq.client.Connection connection = factory.newConnection(); Channel channel = connection.createChannel()) {
            for (String message : messages) {
                channel.basicPublish("", queue, MessageProperties.MINIMAL_PERSISTENT_BASIC, message.getBytes(StandardCharsets.UTF_8));
            }
        }
    }

    private static String message(String id, String user, String acceptedAt) throws Exception {
        Map<String, String> fields = fields(user, "late");
        fields.put("id", id);
        fields.put("acceptedAt", acceptedAt);
        return JSON.writeValueAsString(fields);
    }

    private static void execute(String sql, Object... values) throws SQLException {
        try (Statement statement = database.createStatement()) {
            statement.execute(sql.formatted(values));
        }
    }

    private static long number(String sql, Object... values) throws SQLException {
        return Long.parseLong(text(sql, values));
    }

    private static String text(String sql, Object... values) throws SQLException {
        try (Statement statement = database.createStatement(); ResultSet row = statement.executeQuery(sql.formatted(values))) {
            return row.next() ? row.getString(1) : null;
        }
    }

    private static void insert(int comments, String user) throws SQLException {
        execute("INSERT INTO comments (id, post_id, user_id, user_name, content, accepted_at) SELECT gen_random_uuid(), 'p', '%s', 'Ann', 'c', now()"
                + " FROM generate_series(1, %d)", user, comments);
    }

    @Test
    void allCommentsOfAUserAreErasedAndNoneOfOthers() throws Exception {
        String user = "M\u00fcller/ \u2764 100%+";
        List<String> hers = List.of(written(user), written(user));
        List<String> others = List.of(written("M\u00fcller"), written(user + "2"));
        String id = eraseAllOf(user);
        awaitErased(user);
        for (String comment : hers) {
            awaitStatus(410, comment);
            assertThat(text("SELECT concat(user_id, user_name, content) FROM comments WHERE id = '%s'", comment)).isEmpty();
        }
        for (String comment : others) {
            awaitStatus(200, comment);
        }
        assertThat(UUID.fromString(id).version()).isEqualTo(7);
        await().atMost(LIMIT).untilAsserted(() -> assertThat(pipeline.observe("metrics")).containsPattern("comments_erasures_found_total [2-9]")
                .contains("comments_erasures_running 0.0", "comments_erasures_age_seconds 0.0", "comments_erasures_progress 0.0"));
    }

    @Test
    void aCommentThatWasAcceptedBeforeIsErasedAsItComesAndALaterOneStays() throws Exception {
        written("leaving");
        eraseAllOf("leaving");
        awaitErased("leaving");
        String late = UUID.randomUUID().toString();
        double erased = erased();
        publish("comments", message(late, "leaving", PAST));
        String again = written("leaving");
        awaitStatus(410, late);
        assertThat(text("SELECT concat(user_id, user_name, content) FROM comments WHERE id = '%s'", late)).isEmpty();
        // it is told of like each erasure
        await().atMost(LIMIT).until(() -> erased() > erased);
        assertThat(number("SELECT count(*) FROM comment_changes_waiting")).isZero();
        awaitStatus(200, again);
        // also if an edit or an erasure of its own came before it
        for (String method : List.of("PATCH", "DELETE")) {
            String changed = waiting(method);
            double before = erased();
            publish("comments", message(changed, "leaving", PAST));
            awaitStatus(410, changed);
            await(method).atMost(LIMIT).until(() -> erased() > before);
        }
        // what she posts later stays until the next erasure
        eraseAllOf("leaving");
        awaitStatus(410, again);
    }

    /** A comment that has not come yet, and whose edit or erasure waits for it. */
    private static String waiting(String method) throws Exception {
        String id = UUID.randomUUID().toString();
        assertThat(send(method, "/comments/" + id, method.equals("PATCH") ? "{\"content\":\"edited\"}" : null).statusCode()).isEqualTo(202);
        await().atMost(LIMIT).until(() -> number("SELECT count(*) FROM comment_changes_waiting WHERE id = '%s'", id) == 1);
        return id;
    }

    private static double erased() {
        return TestMetrics.count("comments.changes.applied", "kind", "erase");
    }

    @Test
    void anEditOfACommentThatTheSearchHasPassedErasesIt() throws Exception {
        String id = written("passed");
        String waiting = waiting("PATCH");
        // as if the search had ended
        execute("INSERT INTO user_erasures VALUES (sha256(convert_to('passed', 'UTF8')), now())");
        assertThat(send("PATCH", "/comments/" + id, "{\"content\":\"edited\"}").statusCode()).isEqualTo(202);
        awaitStatus(410, id);
        execute("INSERT INTO comments (id, post_id, user_id, user_name, content, accepted_at) VALUES ('%s', 'p', 'passed', 'Ann', 'c', '%s')", waiting, PAST);
        awaitStatus(410, waiting);
        assertThat(ofUser("passed")).isZero();
    }

    @Test
    void theSearchWaitsForATransactionThatDidNotSeeTheRecord() throws Exception {
        try (Connection writer = DriverManager.getConnection(url)) {
            writer.setAutoCommit(false);
            writer.createStatement().execute("INSERT INTO comments (id, post_id, user_id, user_name, content, accepted_at)"
                    + " VALUES (gen_random_uuid(), 'p', 'writing', 'Ann', 'c', '" + PAST + "')");
            eraseAllOf("writing");
            await().atMost(LIMIT).until(() -> number("SELECT count(*) FROM user_erasures_running WHERE cardinality(writers) > 0") == 1);
            String later = written("writing later");
            eraseAllOf("writing later");
            await().during(Duration.ofSeconds(2)).atMost(LIMIT).until(() -> number("SELECT count(after_row) FROM user_erasures_running") == 0);
            writer.commit();
            awaitStatus(410, later);
        }
        awaitErased("writing");
    }

    @Test
    void manyCommentsInOneBlockAndATableWithOtherFilesAreSearchedToTheEnd() throws Exception {
        insert(2_500, "busy");
        // one that an earlier search of the same user left at the end of a table that has been rewritten since
        execute("INSERT INTO user_erasures VALUES (sha256(convert_to('busy', 'UTF8')), now());"
                + " INSERT INTO user_erasures_running (user_hash, id, user_id, accepted_at, writers, after_row, blocks, files)"
                + " VALUES (sha256(convert_to('busy', 'UTF8')), gen_random_uuid(), 'busy', now(), '{}', '(4096,0)', 4000, '17')");
        awaitErased("busy");
    }

    @Test
    void anErasureThatIsDeliveredAgainIsNotSearchedAgain() throws Exception {
        String id = UUID.randomUUID().toString();
        String erasure = "{\"id\":\"%s\",\"kind\":\"erase-user\",\"userId\":\"again\",\"acceptedAt\":\"%s\"}".formatted(id, Instant.now());
        publish("comment-changes", erasure);
        awaitErased("again");
        insert(1, "again");
        execute("UPDATE comments SET accepted_at = '%s' WHERE user_id = 'again'", PAST);
        publish("comment-changes", "[" + erasure + "," + erasure.replace("again", "again 2") + "]");
        awaitErased("again 2");
        assertThat(ofUser("again")).isEqualTo(1);
    }

    @Test
    void whatIsNoErasureOfAUserIsQuarantined() throws Exception {
        for (String bad : List.of("{\"id\":\"%s\",\"kind\":\"erase-user\",\"acceptedAt\":\"2026-11-22T15:00:00Z\"}",
                "{\"id\":\"%s\",\"kind\":\"erase-user\",\"userId\":\"u\"}")) {
            String message = bad.formatted(UUID.randomUUID());
            publish("comment-changes", message);
            await().atMost(LIMIT).until(() -> number("SELECT count(*) FROM comment_quarantine WHERE body = convert_to('%s', 'UTF8')", message) == 1);
        }
    }

    @Test
    void theQuarantineForgetsTheUser() throws Exception {
        String before = Instant.now().minus(1, ChronoUnit.HOURS).toString();
        String[] hers = {
            "{\"userId\":\"gone\",\"acceptedAt\":\"" + before + "\"}", "{\"userId\":\"gone\"}", "{\"userId\":\"gone\",\"acceptedAt\":\"soon\"}",
            "{\"content\":\"broken\", \"userId\" : \"gone\"", "{\"userId\":\"gone\",\"content\":{}}"};
        String[] others = {
            "{\"userId\":\"gone 2\",\"acceptedAt\":\"" + before + "\",\"content\":\"gone\"}", "{\"userId\":\"gone 3\"", "{\"content\":\"gone with the wind\"}",
            "{\"userId\":\"gone\",\"acceptedAt\":\"" + Instant.now().plus(1, ChronoUnit.HOURS) + "\"}"};
        publish("comments", hers);
        publish("comments", others);
        // neither JSON for PostgreSQL, nor anybody's
        publish("comments", "\u0000\u00ff", "[".repeat(20_000) + "]".repeat(20_000));
        execute("INSERT INTO comment_quarantine (body, sqlstate, reason) VALUES (convert_to('{\"kind\":\"edit\",\"content\":\"gone\"}', 'UTF8'), '02000', 'late')");
        await().atMost(LIMIT).until(() -> quarantined(hers) == hers.length && quarantined(others) == others.length);
        eraseAllOf("gone");
        await().atMost(LIMIT).until(() -> quarantined(hers) == 0);
        assertThat(quarantined(others)).isEqualTo(others.length);
        assertThat(quarantined("{\"kind\":\"edit\",\"content\":\"gone\"}")).isEqualTo(1);
        // nor does it take what comes later
        publish("comments", hers[0], "[".repeat(30_000) + "]".repeat(30_000), "{\"userId\":\"someone\"}");
        await().atMost(LIMIT).until(() -> quarantined("{\"userId\":\"someone\"}") == 1);
        assertThat(quarantined(hers[0])).isZero();
    }

    private static long quarantined(String... bodies) throws SQLException {
        long rows = 0;
        for (String body : bodies) {
            rows += number("SELECT count(*) FROM comment_quarantine WHERE body = convert_to('%s', 'UTF8')", body);
        }
        return rows;
    }

    @Test
    void anErasureForgetsEditsThatCameTooLate() throws Exception {
        String id = written("editor");
        execute("INSERT INTO comment_quarantine (body, sqlstate, reason) VALUES (convert_to('{\"id\":\"%s\",\"kind\":\"edit\",\"content\":\"hers\"}', 'UTF8'),"
                + " '02000', 'late'), (convert_to('{\"id\":\"%s\",\"kind\":\"edit\",\"content\":\"others\"}', 'UTF8'), '02000', 'late')", id, UUID.randomUUID());
        eraseAllOf("editor");
        awaitStatus(410, id);
        assertThat(number("SELECT count(*) FROM comment_quarantine WHERE convert_from(body, 'UTF8') LIKE '%%\"hers\"%%'")).isZero();
        assertThat(number("SELECT count(*) FROM comment_quarantine WHERE convert_from(body, 'UTF8') LIKE '%%\"others\"%%'")).isEqualTo(1);
    }

    @Test
    void allPartitionsOfATableAreSearched() throws Exception {
        String partitioned = TestServers.newDatabase();
        Map<String, String> settings = new HashMap<>(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", partitioned, "POSTGRES_USER", "postgres",
                "COMMENTS_ROLES", "comment-changes"));
        stop();
        broker = EmbeddedBroker.startInMemory();
        settings.put("RABBITMQ_URI", broker.uri());
        try (Connection other = DriverManager.getConnection(partitioned); Statement statement = other.createStatement()) {
            try (TestPipeline owner = TestPipeline.start(settings)) {
                owner.bean("comments", PostgresDataSource.class).getConnection().close();
            }
            statement.execute("""
                    CREATE TABLE parts (LIKE comments INCLUDING DEFAULTS, PRIMARY KEY (id)) PARTITION BY HASH (id);
                    CREATE TABLE part_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
                    CREATE TABLE part_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
                    INSERT INTO parts (id, post_id, user_id, user_name, content, accepted_at)
                    SELECT gen_random_uuid(), 'p', 'u' || i % 2, 'Ann', 'c', now() FROM generate_series(1, 6000) AS i;
                    DROP TABLE comments CASCADE;
                    ALTER TABLE parts RENAME TO comments""");
            settings.put("POSTGRES_MIGRATE", "false");
            try (TestPipeline changes = TestPipeline.start(settings)) {
                publish("comment-changes", "{\"id\":\"%s\",\"kind\":\"erase-user\",\"userId\":\"u1\",\"acceptedAt\":\"%s\"}"
                        .formatted(UUID.randomUUID(), Instant.now()));
                await().atMost(LIMIT).until(() -> {
                    try (ResultSet row = statement.executeQuery("SELECT count(*) FILTER (WHERE erased_at IS NOT NULL), count(*) FROM comments WHERE user_id <> 'u0'")) {
                        return row.next() && row.getLong(1) == 3_000 && row.getLong(2) == 3_000;
                    }
                });
            }
        } finally {
            broker.close();
            start();
        }
    }
}
