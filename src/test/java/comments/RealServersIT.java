package comments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ConnectionFactory;
import java.net.ConnectException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The packaged application as processes, on a private RabbitMQ and a private PostgreSQL. */
class RealServersIT {

    private static final ObjectMapper JSON = new ObjectMapper();

    private static PrivateRabbitMQ rabbitmq;
    private static PrivatePostgreSQL postgresql;

    @BeforeAll
    static void start() throws Exception {
        assumeTrue(PrivateRabbitMQ.missing() == null, PrivateRabbitMQ::missing);
        assumeTrue(PrivatePostgreSQL.missing() == null, PrivatePostgreSQL::missing);
        rabbitmq = PrivateRabbitMQ.start();
        postgresql = PrivatePostgreSQL.start();
    }

    @AfterAll
    static void stop() throws Exception {
        if (rabbitmq != null) {
            rabbitmq.close();
        }
        if (postgresql != null) {
            postgresql.close();
        }
    }

    @BeforeEach
    void empty() throws SQLException {
        try (Connection connection = postgresql.connect()) {
            connection.createStatement().execute("DROP TABLE IF EXISTS comments, comment_quarantine, flyway_schema_history");
        }
    }

    private static JarProcess run(String roles, String... knobs) throws Exception {
        Map<String, String> all = new HashMap<>(Map.of("RABBITMQ_URI", rabbitmq.uri(), "COMMENTS_ROLES", roles));
        if (roles.contains("comment-job-processor")) {
            all.put("POSTGRES_URL", postgresql.url());
            all.put("POSTGRES_USER", "postgres");
        }
        for (int i = 0; i < knobs.length; i += 2) {
            all.put(knobs[i], knobs[i + 1]);
        }
        return JarProcess.start(all);
    }

    /** Posts comments from several connections; returns their contents by the ids that were answered. */
    private static Map<String, String> post(JarProcess service, int total) throws Exception {
        Map<String, String> posted = new ConcurrentHashMap<>();
        ExecutorService callers = Executors.newFixedThreadPool(16);
        List<Future<?>> posts = new ArrayList<>();
        for (int i = 0; i < total; i++) {
            String content = "Comment " + i + " – „ä“ 😀 \"\\\n" + "x".repeat(i % 500);
            posts.add(callers.submit(() -> {
                var response = service.post(JSON.writeValueAsString(
                        Map.of("postId", "p", "userId", "u", "userName", "Ann", "content", content)));
                assertThat(response.statusCode()).as(response.body()).isEqualTo(202);
                return posted.put(JSON.readTree(response.body()).get("id").asText(), content);
            }));
        }
        for (Future<?> post : posts) {
            post.get();
        }
        callers.shutdown();
        assertThat(posted).hasSize(total);
        return posted;
    }

    private static Map<String, String> written() throws SQLException {
        Map<String, String> contents = new HashMap<>();
        try (Connection connection = postgresql.connect();
                ResultSet rows = connection.createStatement().executeQuery("SELECT id, content FROM comments")) {
            while (rows.next()) {
                contents.put(rows.getString(1), rows.getString(2));
            }
        }
        return contents;
    }

    private static void awaitEmptyQueues() {
        await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofSeconds(1))
                .until(() -> rabbitmq.messages("comments") == 0 && rabbitmq.messages("notifications") == 0);
    }

    @Test
    void oneProcessDoesItAll() throws Exception {
        try (JarProcess all = run("comment-service,comment-job-processor,notification-service")) {
            Map<String, String> posted = post(all, 12_345);
            await().atMost(Duration.ofSeconds(60)).until(() -> all.pushed() == posted.size());
            awaitEmptyQueues();
            assertThat(written()).isEqualTo(posted);
            assertThat(rabbitmq.ctl("list_queues", "--no-table-headers", "name", "type", "durable").lines())
                    .contains("comments\tquorum\ttrue", "notifications\tquorum\ttrue");
            assertThat(all.terminate()).isEqualTo(143);
        }
    }

    @Test
    void threeProcessesDoItTogetherAndConnectToNoMoreThanTheyNeed() throws Exception {
        try (JarProcess service = run("comment-service");
                JarProcess processor = run("comment-job-processor");
                JarProcess notifier = run("notification-service")) {
            Map<String, String> posted = post(service, 3_000);
            await().atMost(Duration.ofSeconds(60)).until(() -> notifier.pushed() == posted.size());
            awaitEmptyQueues();
            assertThat(written()).isEqualTo(posted);
            assertThat(rabbitmq.ctl("list_connections", "--no-table-headers", "client_properties").lines()
                    .map(line -> line.replaceAll(".*\"connection_name\",\"([^\"]*)\".*", "$1")))
                    .containsExactlyInAnyOrder("comment-service publishing", "comment-job-processor consuming",
                            "comment-job-processor publishing", "notification-service consuming",
                            "notification-service publishing");
            for (JarProcess other : List.of(processor, notifier)) {
                Assertions.assertThatThrownBy(() -> other.post("{}")).isInstanceOf(ConnectException.class);
            }
        }
    }

    @Test
    void severalProcessorsThatStartAtOnceMakeTheSchemaOnce() throws Exception {
        List<JarProcess> processors = new ArrayList<>();
        try {
            ExecutorService starters = Executors.newFixedThreadPool(3);
            List<Future<JarProcess>> starts = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                starts.add(starters.submit(() -> run("comment-job-processor")));
            }
            for (Future<JarProcess> start : starts) {
                processors.add(start.get());
            }
            starters.shutdown();
            assertThat(written()).isEmpty();
        } finally {
            for (JarProcess processor : processors) {
                processor.close();
            }
        }
    }

    /** kill -9 between the commit and the acknowledgement: what was written is delivered again, and is there once. */
    @Test
    void aProcessorThatIsKilledBeforeItAcknowledgesLosesAndDoublesNothing() throws Exception {
        try (JarProcess service = run("comment-service"); JarProcess processor = run("comment-job-processor")) {
            Map<String, String> posted = post(service, 500);
            awaitNoneIn("comments");
            // without their queue, notifications are not confirmed, so nothing is acknowledged
            rabbitmq.ctl("delete_queue", "notifications");
            posted.putAll(post(service, 2_000));
            await().atMost(Duration.ofSeconds(30)).until(() -> written().size() == 2_500);
            assertThat(rabbitmq.messages("comments")).isPositive();
            assertThat(processor.observe("health")).contains("DOWN");
            processor.kill();

            try (JarProcess next = run("comment-job-processor"); JarProcess notifier = run("notification-service")) {
                awaitEmptyQueues();
                assertThat(written()).isEqualTo(posted);
                await().atMost(Duration.ofSeconds(30)).until(() -> notifier.pushed() >= 2_000);
                assertThat(next.log().filter(line -> line.contains("Wrote "))).as("delivered again").isNotEmpty();
            }
        }
    }

    @Test
    void aQueueThatIsDeletedIsA503UntilItIsBack() throws Exception {
        try (JarProcess service = run("comment-service")) {
            assertThat(service.post(TestPipeline.COMMENT).statusCode()).isEqualTo(202);
            rabbitmq.ctl("delete_queue", "comments");
            for (int i = 0; i < 5; i++) {
                assertThat(service.post(TestPipeline.COMMENT).statusCode()).isEqualTo(503);
            }
            ConnectionFactory factory = new ConnectionFactory();
            factory.setUri(rabbitmq.uri());
            try (var connection = factory.newConnection(); Channel channel = connection.createChannel()) {
                channel.queueDeclare("comments", true, false, false, Map.of("x-queue-type", "quorum"));
                assertThat(service.post(TestPipeline.COMMENT).statusCode()).isEqualTo(202);
                assertThat(channel.basicGet("comments", true)).isNotNull();
            }
        }
    }

    private static void awaitNoneIn(String queue) {
        await().atMost(Duration.ofSeconds(30)).until(() -> rabbitmq.messages(queue) == 0);
    }
}
