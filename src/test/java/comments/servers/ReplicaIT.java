package comments.servers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.MessageProperties;
import comments.support.ApiKeyHash;
import comments.support.EventStream;
import comments.support.JarProcess;
import comments.support.PrivatePostgreSQL;
import comments.support.PrivateServers;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** comment-reader on a streaming replica, while all other services use the primary. */
class ReplicaIT {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final String LAG = "comments_replica_lag_seconds";

    @RegisterExtension
    static final PrivateServers SERVERS = PrivateServers.ofClass();

    private static PrivatePostgreSQL replica;
    private static JarProcess pipeline;
    private static JarProcess reader;

    @BeforeAll
    static void start() throws Exception {
        replica = SERVERS.postgresql().startReplica();
        // a statement that hinders the replay is ended at once
        replica.execute("ALTER SYSTEM SET max_standby_streaming_delay = 0");
        replica.execute("SELECT pg_reload_conf()");
        pipeline = SERVERS.launch("comment-service,comment-job-processor,comment-changes,notification-service",
                "COMMENTS_API_KEYS", "ann:" + ApiKeyHash.of("key") + ":post+change");
        reader = SERVERS.launch("comment-reader", "POSTGRES_URL", replica.url(SERVERS.database()));
        pipeline.awaitReady();
        reader.awaitReady();
    }

    @AfterAll
    static void stop() throws Exception {
        reader.close();
        replica.close();
    }

    @AfterEach
    void replay() throws SQLException {
        replica.execute("SELECT pg_wal_replay_resume()");
    }

    private static HttpResponse<String> change(String method, String path, String body) throws Exception {
        HttpResponse<String> answer = HttpClient.newHttpClient().send(HttpRequest.newBuilder(pipeline.uri(path))
                .header("Authorization", "Bearer key").header("Content-Type", "application/json")
                .method(method, body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body)).build(),
                BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
        return answer;
    }

    private static String comment(String post) {
        return "{\"postId\":\"%s\",\"userId\":\"u\",\"userName\":\"Ann\",\"content\":\"Hi\"}".formatted(post);
    }

    private static String post(String post) throws Exception {
        return JSON.readTree(change("POST", "/comments", comment(post)).body()).get("id").asText();
    }

    private static int status(String id) throws Exception {
        return reader.get("/comments/" + id).statusCode();
    }

    private static void awaitWritten(String id) {
        await().atMost(LIMIT).until(() -> SERVERS.number("SELECT count(*) FROM comments WHERE id = '" + id + "'") == 1);
    }

    @Test
    void aReplicaIsReadAndAnIdlePrimaryIsNoLag() throws Exception {
        String id = post("p");
        await().atMost(LIMIT).until(() -> status(id) == 200);
        assertThat(reader.get("/comments?postId=p").body()).contains(id);
        await().during(Duration.ofSeconds(4)).atMost(LIMIT).until(() -> reader.observe("metrics").contains(LAG + " 0.0"));
        assertThat(reader.observe("health")).contains("\"UP\"").doesNotContain("DOWN");
        assertThat(pipeline.observe("metrics")).contains(LAG + " NaN");
    }

    @Test
    void whatIsNotReplicatedYetIsNotFoundWithAReasonAndLagIsMeasured() throws Exception {
        replica.execute("SELECT pg_wal_replay_pause()");
        String id = post("late");
        awaitWritten(id);
        await().atMost(LIMIT).until(() -> reader.metric(LAG) > 2);
        HttpResponse<String> missing = reader.get("/comments/" + id);
        assertThat(missing.statusCode()).isEqualTo(404);
        assertThat(missing.body()).containsPattern("in the replica of the database that was read, which is \\d+ s behind");
        assertThat(Integer.parseInt(missing.headers().firstValue("Retry-After").orElseThrow())).isBetween(3, 61);
        // made in 2024: the lag is no reason
        assertThat(reader.get("/comments/018cc251-f400-7000-8000-000000000000").body()).contains("No comment has this id. ")
                .doesNotContain("replica");
        assertThat(reader.observe("health/ready")).contains("\"UP\"");
        replica.execute("SELECT pg_wal_replay_resume()");
        await().atMost(LIMIT).until(() -> status(id) == 200 && reader.metric(LAG) == 0);
    }

    @Test
    void theStreamShowsWhatTheReplicaGetsLater() throws Exception {
        String first = post("s");
        await().atMost(LIMIT).until(() -> status(first) == 200);
        try (EventStream early = EventStream.open(reader.uri("/comments/stream?postId=s"))) {
            String second = post("s");
            await().atMost(LIMIT).until(() -> early.comments().contains(second));
            // the announcement of the first one may have come after this client
            int batches = early.events("batch").size();
            replica.execute("SELECT pg_wal_replay_pause()");
            String third = post("s");
            change("PATCH", "/comments/" + first, "{\"content\":\"Better\"}");
            change("DELETE", "/comments/" + second, null);
            await().atMost(LIMIT).until(() -> SERVERS.number("SELECT count(*) FROM comments WHERE id = '" + third + "'") == 1
                    && SERVERS.number("SELECT count(*) FROM comments WHERE edited_at IS NOT NULL AND id = '" + first + "'") == 1
                    && SERVERS.number("SELECT count(*) FROM comments WHERE erased_at IS NOT NULL AND id = '" + second + "'") == 1);
            // the announcement is there before this client is
            await().during(Duration.ofSeconds(1)).atMost(LIMIT).until(() -> early.events("batch").size() == batches);
            try (EventStream late = EventStream.open(reader.uri("/comments/stream?postId=s"), "Last-Event-ID",
                    early.events("comment").get(0).id())) {
                assertThat(early.comments()).doesNotContain(third);
                replica.execute("SELECT pg_wal_replay_resume()");
                for (EventStream stream : new EventStream[] {early, late}) {
                    await().atMost(LIMIT).until(() -> stream.comments().contains(third) && stream.events("erased").size() == 1);
                    assertThat(stream.events("edited")).singleElement().satisfies(event ->
                            assertThat(event.json().get("content").asText()).isEqualTo("Better"));
                }
            }
        }
    }

    /** One batch has a new comment, and behind it one that the replica has had for long, as when it is delivered again. */
    @Test
    void theStreamWaitsForAllCommentsOfABatch() throws Exception {
        String known = post("batch");
        await().atMost(LIMIT).until(() -> status(known) == 200);
        try (EventStream stream = EventStream.open(reader.uri("/comments/stream?postId=batch"))) {
            String live = post("batch");
            await().atMost(LIMIT).until(() -> stream.comments().contains(live));
            int batches = stream.events("batch").size();
            replica.execute("SELECT pg_wal_replay_pause()");
            try (com.rabbitmq.client.Connection broker = SERVERS.connectToBroker(); Channel channel = broker.createChannel()) {
                String id = UUID.randomUUID().toString();
                String body = comment("batch").replaceFirst("\\{", "{\"id\":\"%s\",");
                channel.basicPublish("", "comments", MessageProperties.MINIMAL_PERSISTENT_BASIC,
                        ("[" + body.formatted(id) + "," + body.formatted(known) + "]").getBytes(UTF_8));
                awaitWritten(id);
                await().during(Duration.ofSeconds(2)).atMost(LIMIT).until(() -> stream.events("batch").size() == batches);
                replica.execute("SELECT pg_wal_replay_resume()");
                await().atMost(LIMIT).until(() -> stream.comments().contains(id));
            }
        }
    }

    @Test
    void aReadThatHindersTheReplayIsTriedAgain() throws Exception {
        String id = post("slow");
        await().atMost(LIMIT).until(() -> status(id) == 200);
        try (Connection primary = SERVERS.connectToDatabase(); Statement statement = primary.createStatement()) {
            statement.execute("ALTER TABLE comments RENAME TO fast");
            statement.execute("CREATE VIEW comments AS SELECT * FROM fast WHERE pg_sleep(1) IS NOT NULL");
            statement.execute("GRANT SELECT ON comments TO comments_reader");
            statement.execute("CREATE TABLE vacuumed AS SELECT 1 AS number");
            try {
                await().atMost(LIMIT).until(() -> status(id) == 200);
                long conflicts = conflicts();
                // until the replay meets a read, which takes a second
                await("the conflict").atMost(LIMIT).until(() -> {
                    CompletableFuture<Integer> read = CompletableFuture.supplyAsync(() -> {
                        try {
                            return status(id);
                        } catch (Exception e) {
                            throw new IllegalStateException(e);
                        }
                    });
                    await().atMost(LIMIT).until(() -> reads() > 0 || read.isDone());
                    statement.execute("DELETE FROM vacuumed");
                    statement.execute("VACUUM vacuumed");
                    statement.execute("INSERT INTO vacuumed VALUES (1)");
                    assertThat(read.get()).isEqualTo(200);
                    return conflicts() > conflicts;
                });
            } finally {
                statement.execute("DROP VIEW comments");
                statement.execute("ALTER TABLE fast RENAME TO comments");
            }
        }
    }

    private static long onReplica(String sql) throws SQLException {
        try (Connection connection = replica.connect(SERVERS.database()); Statement statement = connection.createStatement();
                var row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        }
    }

    private static long reads() throws SQLException {
        return onReplica("SELECT count(*) FROM pg_stat_activity WHERE usename = 'comments_reader' AND wait_event = 'PgSleep'");
    }

    private static long conflicts() throws SQLException {
        return onReplica("SELECT confl_snapshot FROM pg_stat_database_conflicts WHERE datname = current_database()");
    }

    /** Stays ready: late reads are better than none. */
    @Test
    void aReplicaThatReceivesNothingIsToldOfByHealth() throws Exception {
        String id = post("old");
        await().atMost(LIMIT).until(() -> status(id) == 200);
        String primary = primary();
        connect("host=127.0.0.1 port=1");
        try {
            await().atMost(LIMIT).until(() -> reader.observe("health").contains("The replica receives nothing from its primary"));
            assertThat(reader.observe("health/ready")).doesNotContain("DOWN");
            assertThat(status(id)).isEqualTo(200);
        } finally {
            connect(primary);
        }
        await().atMost(LIMIT).until(() -> !reader.observe("health").contains("DOWN"));
    }

    private static String primary() throws SQLException {
        try (Connection connection = replica.connect(); Statement statement = connection.createStatement();
                var row = statement.executeQuery("SHOW primary_conninfo")) {
            row.next();
            return row.getString(1);
        }
    }

    private static void connect(String primary) throws SQLException {
        replica.execute("ALTER SYSTEM SET primary_conninfo = '%s'".formatted(primary.replace("'", "''")));
        replica.execute("SELECT pg_reload_conf()");
    }
}
