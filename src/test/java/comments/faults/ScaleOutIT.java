package comments.faults;

import static comments.faults.Trial.NOTIFIER;
import static comments.faults.Trial.PROCESSOR;
import static comments.faults.Trial.SERVICE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import comments.support.JarProcess;
import comments.support.PrivateRabbitMQ;
import comments.support.PrivateServers;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Several processes of each kind on a RabbitMQ of three nodes and one PostgreSQL, of which some are killed. It says what it
 * does, since {@code load/scale-out} shows it to people.
 */
@Tag("nightly")
class ScaleOutIT {

    private static final int ROUNDS = Integer.getInteger("scale-out.rounds", 1);
    private static final int NODES = 3;
    private static final String FURTHER = "comments-2";
    private static final Map<String, Integer> PROCESSES = new TreeMap<>(Map.of(SERVICE, 2, PROCESSOR, 3, NOTIFIER, 2));
    /** What a process of each kind has done once it has work. */
    private static final Map<String, String> WORK = Map.of(SERVICE, "comments_accepted_total",
            PROCESSOR, "comments_persisted_total", NOTIFIER, "comments_pushed_total");

    @RegisterExtension
    static final Servers SERVERS = new Servers(NODES);

    @RegisterExtension
    final Trial trial = new Trial(SERVERS);

    private final Instant start = Instant.now();
    private final Map<String, List<JarProcess>> processes = new TreeMap<>();

    @Test
    void aNodeOfTheBrokerAndAProcessOfEachKindAreKilledUnderLoad() throws Exception {
        say("RabbitMQ: %d nodes; PostgreSQL: 1", SERVERS.nodes().size());
        declareFurtherQueue();
        PROCESSES.forEach((role, number) -> {
            for (int i = 0; i < number; i++) {
                processes.computeIfAbsent(role, none -> new ArrayList<>()).add(launch(role));
            }
        });
        awaitReady();
        say("started: %s", PROCESSES);
        assertThat(queues()).containsOnlyKeys("comments", FURTHER, "comment-changes", "notifications")
                .allSatisfy((name, queue) -> assertThat(queue.members()).as(name).hasSize(NODES));
        assertThat(queues().get(FURTHER).leader()).as("leader of " + FURTHER).isNotEqualTo(queues().get("comments").leader());
        trial.post();
        awaitWork();
        say("every process has its share of %d requests a second", Math.round(trial.rate()));

        for (int round = 0; round < ROUNDS; round++) {
            String leader = queues().get("comments").leader();
            PrivateRabbitMQ node =
                    SERVERS.nodes().stream().filter(one -> one.name().equals(leader)).findFirst().orElseThrow();
            node.kill();
            awaitServed("kill -9 of the node that leads the queue of comments");

            for (List<JarProcess> same : processes.values()) {
                same.remove(0).kill();
            }
            awaitServed("kill -9 of one process of each kind, on the nodes that are left");

            node.startServer();
            processes.forEach((role, same) -> same.add(launch(role)));
            awaitReady();
            awaitServed("node and processes started again");
            awaitWork();
        }
        say("%s", trial.assertKept().summary());
    }

    // as the application does when it may: see RabbitConnectionFactory
    private static void declareFurtherQueue() throws Exception {
        try (Connection connection = SERVERS.connectToBroker(); Channel channel = connection.createChannel()) {
            channel.queueDeclare(FURTHER, true, false, false,
                    Map.of("x-queue-type", "quorum", "x-queue-leader-locator", "balanced"));
        }
    }

    private JarProcess launch(String role) {
        List<Integer> ports = SERVERS.nodes().stream().map(PrivateRabbitMQ::port).toList();
        try {
            return trial.process(role).with("COMMENTS_QUEUES", 2).with("RABBITMQ_URI", PrivateServers.brokerUri(role, ports)).launch();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private void awaitReady() {
        processes.values().forEach(same -> same.forEach(JarProcess::awaitReady));
    }

    /** Waits until each process has done some work. */
    private void awaitWork() {
        processes.forEach((role, same) -> same.forEach(process -> await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(process.metric(WORK.get(role))).as(role).isPositive())));
    }

    private void awaitServed(String event) {
        Instant from = Instant.now();
        trial.healed();
        say("%s: served as before after %.1f s; %,d comments promised", event,
                Duration.between(from, Instant.now()).toMillis() / 1_000.0, trial.history().ok());
        assertThat(trial.recovery()).as(event).isNotNull();
    }

    /** A queue: the node that leads it, and all that hold it. */
    private record Quorum(String leader, List<String> members) {
    }

    private static Map<String, Quorum> queues() throws IOException, InterruptedException {
        return SERVERS.rabbitmq().ctl("list_queues", "--no-table-headers", "name", "leader", "members").lines()
                .map(line -> line.split("\t")).collect(Collectors.toMap(column -> column[0],
                        column -> new Quorum(column[1], List.of(column[2].replaceAll("[\\[\\]]", "").split(", ?")))));
    }

    private void say(String format, Object... values) {
        System.out.printf("%6.1f s  %s%n", Duration.between(start, Instant.now()).toMillis() / 1_000.0,
                format.formatted(values));
    }
}
