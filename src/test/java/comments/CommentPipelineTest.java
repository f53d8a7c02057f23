package comments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ConnectionFactory;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.camel.builder.RouteBuilder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The whole application, from HTTP to the push, on the embedded servers. */
class CommentPipelineTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Set<String> PUSHED = ConcurrentHashMap.newKeySet();

    private static EmbeddedBroker broker;
    private static String database;
    private static TestPipeline pipeline;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        database = TestServers.newDatabase();
        pipeline = TestPipeline.start(
                Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", database, "POSTGRES_USER", "postgres",
                        "NOTIFICATIONS_PUSH_ENDPOINT", "direct:collect"),
                new RouteBuilder() {
                    @Override
                    public void configure() {
                        from("direct:collect").process(exchange -> JSON.readTree(exchange.getMessage().getBody(byte[].class))
                                .forEach(comment -> PUSHED.add(comment.path("id").asText())));
                    }
                });
    }

    @AfterAll
    static void stop() {
        pipeline.close();
        broker.close();
    }

    private static Map<String, String> contentsById() throws Exception {
        Map<String, String> contents = new HashMap<>();
        try (Connection connection = DriverManager.getConnection(database);
                ResultSet rows = connection.createStatement().executeQuery("SELECT id, content FROM comments")) {
            while (rows.next()) {
                contents.put(rows.getString(1), rows.getString(2));
            }
        }
        return contents;
    }

    private static long messages(String queue) throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(broker.uri());
        try (var connection = factory.newConnection(); Channel channel = connection.createChannel()) {
            return channel.messageCount(queue);
        }
    }

    private static String post(String content) throws Exception {
        var response = pipeline.post("/comments", JSON.writeValueAsString(
                Map.of("postId", "p", "userId", "u", "userName", "Ann", "content", content)));
        assertThat(response.statusCode()).as(response.body()).isEqualTo(202);
        return JSON.readTree(response.body()).get("id").asText();
    }

    @Test
    void everyCommentIsWrittenOnceAndPushed() throws Exception {
        int total = 12_345;
        Map<String, String> before = contentsById();
        Map<String, String> posted = new ConcurrentHashMap<>();
        ExecutorService callers = Executors.newFixedThreadPool(16);
        List<Future<?>> posts = new ArrayList<>();
        for (int i = 0; i < total; i++) {
            String content = "Comment " + i + " – „ä“ 😀 \"\\\n" + "x".repeat(i % 700);
            posts.add(callers.submit(() -> posted.put(post(content), content)));
        }
        for (Future<?> post : posts) {
            post.get();
        }
        callers.shutdown();
        assertThat(posted).hasSize(total);
        await().atMost(Duration.ofSeconds(30)).until(() -> PUSHED.containsAll(posted.keySet()));
        Map<String, String> written = contentsById();
        before.keySet().forEach(written::remove);
        assertThat(written).isEqualTo(posted);
        await().atMost(Duration.ofSeconds(10)).until(() -> messages("comments") == 0 && messages("notifications") == 0);
    }

    @Test
    void aListIsWrittenAndPushed() throws Exception {
        String list = "[" + (TestPipeline.COMMENT + ",").repeat(999) + TestPipeline.COMMENT + "]";
        var response = pipeline.post("/comments", list);
        assertThat(response.statusCode()).isEqualTo(202);
        List<String> ids = new ArrayList<>();
        JSON.readTree(response.body()).get("ids").forEach(id -> ids.add(id.asText()));
        assertThat(ids).hasSize(1_000).doesNotHaveDuplicates();
        await().atMost(Duration.ofSeconds(30)).until(() -> PUSHED.containsAll(ids));
        assertThat(contentsById().keySet()).containsAll(ids);
    }

    @Test
    void aRetryWithTheSameKeyIsOneRow() throws Exception {
        String id = null;
        for (int i = 0; i < 20; i++) {
            var response = pipeline.post("/comments", TestPipeline.COMMENT, "Idempotency-Key", "once");
            assertThat(response.statusCode()).isEqualTo(202);
            String answered = JSON.readTree(response.body()).get("id").asText();
            assertThat(id == null || id.equals(answered)).isTrue();
            id = answered;
        }
        String written = id;
        await().atMost(Duration.ofSeconds(30)).until(() -> PUSHED.contains(written));
        assertThat(contentsById()).containsKey(written);
    }

    @Test
    void whatAForeignProducerSendsIsWritten() throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(broker.uri());
        try (var connection = factory.newConnection(); Channel channel = connection.createChannel()) {
            channel.confirmSelect();
            for (String body : new String[] {
                """
                {"id":"01a203e0-e52b-70a1-b154-faa7274d2213","postId":"f","userId":"u","userName":"A","content":"whole",\
                "acceptedAt":"2026-11-22T15:00:00Z"}""",
                """
                 {"postId":"f","userId":"u","userName":"A","content":"bare"}
                """,
                """
                {"postId":"f","userId":"u","userName":"A","content":"bare"}"""}) {
                channel.basicPublish("", "comments", null, body.getBytes());
            }
            channel.waitForConfirmsOrDie(5_000);
        }
        await().atMost(Duration.ofSeconds(10)).until(() -> contentsById().containsValue("bare")
                && "whole".equals(contentsById().get("01a203e0-e52b-70a1-b154-faa7274d2213")));
        await().atMost(Duration.ofSeconds(10)).until(() -> messages("comments") == 0);
        assertThat(contentsById().values().stream().filter("bare"::equals)).as("delivered twice, written once").hasSize(1);
    }

    @Test
    void saysThatItIsHealthyAndWhatItDid() throws Exception {
        post("counted");
        await().atMost(Duration.ofSeconds(10)).until(() -> pipeline.observe("metrics").lines()
                .anyMatch(line -> line.matches("comments_pushed_total [1-9].*")));
        assertThat(pipeline.observe("metrics")).contains("comments_accepted_total", "comments_refused_total",
                "comments_group_size_count", "comments_confirm_seconds_count", "comments_batch_size_count",
                "comments_insert_seconds_count", "comments_committed_seconds_count", "comments_persisted_total",
                "comments_waiting 0.0", "comments_unsettled ", "comments_unsettled_age_seconds", "comments_retries_total");
        JsonNode health = JSON.readTree(pipeline.observe("health"));
        assertThat(health.get("status").asText()).isEqualTo("UP");
    }
}
