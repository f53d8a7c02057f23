package comments.servers;

import static comments.support.PrivateServers.VERSIONS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import comments.support.JarProcess;
import comments.support.PrivateServers;
import comments.support.TestPipeline;
import java.net.ConnectException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The packaged application as processes, on a private RabbitMQ and a private PostgreSQL. */
@Tag(VERSIONS)
class RealServersIT {

    private static final ObjectMapper JSON = new ObjectMapper();

    @RegisterExtension
    static final PrivateServers SERVERS = new PrivateServers();

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

    @Test
    void theJarStartsFromAnArchiveOfItsClasses() throws Exception {
        List<String> arguments = new ArrayList<>(JarProcess.PACKAGED);
        arguments.add(0, JarProcess.MUST_SHARE);
        JarProcess process = SERVERS.start(JarProcess.java(arguments), "comment-service");
        assertThat(process.terminate()).isEqualTo(143);
    }

    @Test
    void oneProcessDoesItAll() throws Exception {
        JarProcess all = SERVERS.start("comment-service,comment-job-processor,notification-service");
        Map<String, String> posted = post(all, 12_345);
        await().atMost(Duration.ofSeconds(60)).until(() -> all.pushed() == posted.size());
        SERVERS.awaitDrained();
        assertThat(SERVERS.rows()).isEqualTo(posted);
        assertThat(all.terminate()).isEqualTo(143);
    }

    @Test
    void threeProcessesDoItTogetherAndConnectToNoMoreThanTheyNeed() throws Exception {
        JarProcess service = SERVERS.launch("comment-service");
        JarProcess processor = SERVERS.launch("comment-job-processor");
        JarProcess notifier = SERVERS.launch("notification-service");
        List.of(service, processor, notifier).forEach(JarProcess::awaitReady);
        Map<String, String> posted = post(service, 3_000);
        await().atMost(Duration.ofSeconds(60)).until(() -> notifier.pushed() == posted.size());
        SERVERS.awaitDrained();
        assertThat(SERVERS.rows()).isEqualTo(posted);
        assertThat(SERVERS.rabbitmq().ctl("list_connections", "--no-table-headers", "client_properties").lines()
                .map(line -> line.replaceAll(".*\"connection_name\",\"([^\"]*)\".*", "$1")))
                .containsExactlyInAnyOrder("comment-service publishing", "comment-job-processor consuming",
                        "comment-job-processor publishing", "notification-service consuming",
                        "notification-service publishing");
        for (JarProcess other : List.of(processor, notifier)) {
            Assertions.assertThatThrownBy(() -> other.post("{}")).isInstanceOf(ConnectException.class);
        }
    }

    /** As an owner of the database, and a user of RabbitMQ who may declare queues. */
    @Test
    void severalProcessesThatStartAtOnceMakeTheSchemaAndTheQueuesOnce() throws Exception {
        SERVERS.removeSchemaAndQueues();
        List<JarProcess> processes = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            processes.add(SERVERS.launch("comment-job-processor,notification-service", "RABBITMQ_URI", SERVERS.rabbitmq().uri(),
                    "POSTGRES_USER", PrivateServers.OWNER, "POSTGRES_MIGRATE", true));
        }
        processes.forEach(JarProcess::awaitReady);
        assertThat(SERVERS.rows()).isEmpty();
        assertThat(SERVERS.rabbitmq().ctl("list_queues", "--no-table-headers", "name", "type", "durable").lines())
                .contains("comments\tquorum\ttrue", "notifications\tquorum\ttrue");
    }

    /** kill -9 between the commit and the acknowledgement: what was written is delivered again, and is there once. */
    @Test
    void aProcessorThatIsKilledBeforeItAcknowledgesLosesAndDoublesNothing() throws Exception {
        JarProcess service = SERVERS.launch("comment-service");
        // it holds all that is posted, none of which is acknowledged
        JarProcess processor = SERVERS.start("comment-job-processor", "COMMENTS_PREFETCH", 1_000, "COMMENTS_GROUP_BYTES", 65_536);
        service.awaitReady();
        Map<String, String> posted = post(service, 500);
        awaitNoneIn("comments");
        // without their queue, notifications are not confirmed, so nothing is acknowledged
        SERVERS.rabbitmq().ctl("delete_queue", "notifications");
        posted.putAll(post(service, 2_000));
        await().atMost(Duration.ofSeconds(30)).until(() -> SERVERS.rows().size() == 2_500);
        await().atMost(Duration.ofSeconds(30)).until(() -> SERVERS.rabbitmq().messages("comments") > 0);
        assertThat(processor.observe("health")).contains("DOWN");
        processor.kill();
        SERVERS.declare("notifications");

        JarProcess next = SERVERS.launch("comment-job-processor");
        JarProcess notifier = SERVERS.start("notification-service");
        next.awaitReady();
        SERVERS.awaitDrained();
        assertThat(SERVERS.rows()).isEqualTo(posted);
        await().atMost(Duration.ofSeconds(30)).until(() -> notifier.pushed() >= 2_000);
        assertThat(next.log().filter(line -> line.contains("Wrote "))).as("delivered again").isNotEmpty();
    }

    @Test
    void aQueueThatIsDeletedIsA503UntilItIsBack() throws Exception {
        JarProcess service = SERVERS.start("comment-service");
        assertThat(service.post(TestPipeline.COMMENT).statusCode()).isEqualTo(202);
        SERVERS.rabbitmq().ctl("delete_queue", "comments");
        for (int i = 0; i < 5; i++) {
            assertThat(service.post(TestPipeline.COMMENT).statusCode()).isEqualTo(503);
        }
        SERVERS.declare("comments");
        assertThat(service.post(TestPipeline.COMMENT).statusCode()).isEqualTo(202);
        await().atMost(Duration.ofSeconds(10)).until(() -> SERVERS.rabbitmq().messages("comments") == 1);
    }

    private static void awaitNoneIn(String queue) {
        await().atMost(Duration.ofSeconds(30)).until(() -> SERVERS.rabbitmq().messages(queue) == 0);
    }
}
