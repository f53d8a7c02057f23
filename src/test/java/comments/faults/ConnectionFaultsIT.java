package comments.faults;

import static comments.faults.Trial.NOTIFIER;
import static comments.faults.Trial.PROCESSOR;
import static comments.faults.Trial.SERVICE;
import static comments.faults.Trial.during;
import static comments.support.PrivateServers.VERSIONS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import comments.support.JarProcess;
import comments.support.Proxy;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What may happen to the connections to the broker, and to the queues that they declare. */
class ConnectionFaultsIT {

    @RegisterExtension
    static final Servers SERVERS = new Servers();

    @RegisterExtension
    final Trial trial = new Trial(SERVERS);

    private static void awaitReady(JarProcess... processes) {
        for (JarProcess process : processes) {
            await().atMost(Checker.RECOVERY_LIMIT).ignoreExceptions().until(() -> isReady(process));
        }
    }

    private static boolean isReady(JarProcess process) throws Exception {
        return !process.observe("health").contains("DOWN");
    }

    /** While a push is on its way, an insert waits for its commit, and groups for their confirms. */
    @Test
    @Tag(VERSIONS)
    void c26TheBrokerClosesEveryConnectionDuringPushesInsertsAndPublishes() throws Exception {
        JarProcess service = trial.process(SERVICE).start();
        JarProcess processor = trial.process(PROCESSOR).start();
        JarProcess notifier = trial.process(NOTIFIER).failpoint("after:push:3000:*").start();
        trial.post();
        for (int i = 0; i < 3; i++) {
            await().atMost(Duration.ofSeconds(20)).until(() -> trial.rabbitmq().queues().get("notifications").unacknowledged() > 0);
            try (CommitGate gate = new CommitGate(trial.connect())) {
                gate.awaitHeld();
                trial.rabbitmq().ctl("close_all_connections", "fault");
            }
            awaitReady(service, processor, notifier);
            trial.healed();
        }
        // a push that can't be acknowledged would hold this up
        Instant from = Instant.now();
        notifier.terminate();
        assertThat(Duration.between(from, Instant.now())).isLessThan(Duration.ofSeconds(15));
        trial.process(NOTIFIER).launch();
        trial.assertKept();
    }

    /** A batch that is not complete for a while. */
    @Test
    @Tag("nightly")
    void c26TheBrokerClosesEveryConnectionWhileABatchGathers() throws Exception {
        JarProcess processor = trial.process(PROCESSOR).with("COMMENTS_BATCH_INTERVAL", 2_000)
                .with("COMMENTS_PREFETCH", 100).start();
        JarProcess others = trial.process(SERVICE, NOTIFIER).start();
        trial.post();
        for (int i = 0; i < 3; i++) {
            await().atMost(Duration.ofSeconds(20)).until(() -> trial.rabbitmq().queues().get("comments").unacknowledged() > 50);
            trial.rabbitmq().ctl("close_all_connections", "fault");
            awaitReady(processor, others);
        }
        Instant healed = Instant.now();
        await().atMost(Checker.RECOVERY_LIMIT).ignoreExceptions().until(() -> healed.isBefore(Instant.now().minusSeconds(4))
                && trial.rate() > 0 && isReady(processor));
        trial.assertKept();
    }

    private static void declareClassic() throws Exception {
        try (Connection connection = SERVERS.connectToBroker(); Channel channel = connection.createChannel()) {
            channel.queueDelete("comments");
            channel.queueDeclare("comments", true, false, false, Map.of());
        }
    }

    private void assertRefused(Launch launch, String... parts) throws Exception {
        JarProcess process = launch.launch();
        assertThat(process.awaitEnd()).isEqualTo(1);
        assertThat(process.log()).singleElement().asString().startsWith("comment-service: RABBITMQ_URI: the queue comments at")
                .contains(parts);
    }

    /** As a user that may declare queues. */
    private Launch declaring(String role) {
        return trial.process(role).with("RABBITMQ_URI", trial.rabbitmq().uri());
    }

    @Test
    @Tag(VERSIONS)
    void c27AProcessDoesNotStartWithAQueueThatItCanNotUse() throws Exception {
        declareClassic();
        assertRefused(declaring(SERVICE), "x-queue-type", "It must be a durable quorum queue: delete it once it is empty");
        SERVERS.deleteQueues();
        // a limit of deliveries that no policy can lift
        try (Connection other = SERVERS.connectToBroker(); Channel channel = other.createChannel()) {
            channel.queueDeclare("comments", true, false, false, Map.of("x-queue-type", "quorum", "x-delivery-limit", 2));
        }
        assertRefused(declaring(SERVICE), "x-delivery-limit", "the value '2'");
        SERVERS.deleteQueues();
        // a user that may not declare
        assertRefused(trial.process(PROCESSOR), "is missing, and this user may not declare it");
        try (Connection other = SERVERS.connectToBroker(); Channel channel = other.createChannel()) {
            channel.queueDeclare("comments", false, true, false, Map.of());
            assertRefused(declaring(SERVICE), "belongs to another connection alone (exclusive)");
        }
    }

    @Test
    @Tag(VERSIONS)
    void c27AQueueThatBecomesAnotherIsTriedAgainByOneThread() throws Exception {
        JarProcess service = declaring(SERVICE).start();
        assertThat(trial.postOne().status()).isEqualTo(202);
        trial.process(PROCESSOR, NOTIFIER).start();
        await().atMost(Duration.ofSeconds(20)).until(trial::hasWrittenAll);
        await().atMost(Duration.ofSeconds(20)).until(() -> trial.rabbitmq().messages("notifications") == 0);
        // the management server makes a thread for each of its first 20 requests
        for (int i = 0; i < 30; i++) {
            assertThat(isReady(service)).isTrue();
        }
        double threads = service.metric("jvm_threads_live_threads");
        declareClassic();
        trial.rabbitmq().ctl("close_all_connections", "fault");
        await().atMost(Duration.ofSeconds(20)).until(() -> !isReady(service));
        during(Duration.ofSeconds(15), () -> service.metric("jvm_threads_live_threads") < threads + 20);
        assertThat(service.log().filter(line -> line.contains("can't be used for comment-service publishing"))).hasSize(1);
        try (Connection connection = SERVERS.connectToBroker(); Channel channel = connection.createChannel()) {
            channel.queueDelete("comments");
        }
        SERVERS.declare("comments");
        awaitReady(service);
        assertThat(trial.postOne().status()).isEqualTo(202);
        trial.assertKept();
    }

    /** A group is much more than the buffers of the sockets hold, and almost always on its way, so the publisher hangs in a write. */
    @Test
    void c28ALinkSwallowsAGroupWithoutAWordAndOthersWork() throws Exception {
        try (Proxy proxy = new Proxy(trial.rabbitmq().port(), 128 << 10)) {
            JarProcess service = declaring(SERVICE).with("RABBITMQ_URI", "amqp://guest:guest@127.0.0.1:" + proxy.port())
                    .with("COMMENTS_GROUP_BYTES", 4 << 20).start();
            Queue<HttpResponse<String>> answers = new ConcurrentLinkedQueue<>();
            AtomicBoolean ended = new AtomicBoolean();
            HttpClient client = HttpClient.newHttpClient();
            String body = "{\"postId\":\"p\",\"userId\":\"u\",\"userName\":\"Ann\",\"content\":\"%s\"}".formatted("\u4e00".repeat(10_000));
            HttpRequest request = HttpRequest.newBuilder(service.uri("/comments")).timeout(Duration.ofSeconds(30))
                    .header("Content-Type", "application/json").POST(BodyPublishers.ofString(body)).build();
            try {
                proxy.delay(Duration.ofMillis(10));
                for (int i = 0; i < 1_000; i++) {
                    post(client, request, answers, ended);
                }
                await().atMost(Duration.ofSeconds(30)).until(() -> answers.stream().anyMatch(one -> one.statusCode() == 202));
                proxy.swallow();
                proxy.delay(Duration.ZERO);
                Instant from = Instant.now();
                await().atMost(Duration.ofSeconds(20)).until(() -> answers.stream().anyMatch(one -> one.statusCode() == 503));
                answers.clear();
                await().atMost(Duration.ofSeconds(60)).until(() -> answers.stream().anyMatch(one -> one.statusCode() == 202));
                System.out.println("202 again after " + Duration.between(from, Instant.now()));
            } finally {
                ended.set(true);
            }
            awaitReady(service);
        }
    }

    private static void post(HttpClient client, HttpRequest request, Queue<HttpResponse<String>> answers, AtomicBoolean ended) {
        client.sendAsync(request, BodyHandlers.ofString()).whenComplete((answer, failure) -> {
            if (answer != null) {
                answers.add(answer);
            }
            if (!ended.get()) {
                post(client, request, answers, ended);
            }
        });
    }
}
