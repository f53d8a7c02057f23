package comments.faults;

import static comments.faults.Trial.NOTIFIER;
import static comments.faults.Trial.PROCESSOR;
import static comments.faults.Trial.SERVICE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.support.JarProcess;
import comments.support.PrivateRabbitMQ.Queue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Comments are spread over several queues, and processes have different numbers of them. */
class SpreadFaultsIT {

    private static final List<String> QUEUES = List.of("comments", "comments-2", "comments-3");
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @RegisterExtension
    static final Servers SERVERS = new Servers();

    @RegisterExtension
    final Trial trial = new Trial(SERVERS);

    private Launch process(String role, int queues) {
        return trial.process(role).with("COMMENTS_QUEUES", queues);
    }

    private void declare(List<String> queues) throws Exception {
        for (String queue : queues) {
            SERVERS.declare(queue);
        }
    }

    private boolean all(Predicate<Queue> condition) throws Exception {
        Map<String, Queue> queues = trial.rabbitmq().queues();
        return QUEUES.stream().allMatch(queue -> queues.containsKey(queue) && condition.test(queues.get(queue)));
    }

    /** Posts until each queue has as many messages. */
    private void fill(int messages) throws Exception {
        await().atMost(PATIENCE).until(() -> all(queue -> queue.messages() >= messages));
    }

    @Test
    void c40TheNumberOfQueuesIsLoweredWithMessagesInAll() throws Exception {
        declare(QUEUES);
        process(SERVICE, 3).start();
        JarProcess processor = process(PROCESSOR, 3).start();
        JarProcess notifier = trial.process(NOTIFIER).start();
        trial.post();
        await().atMost(PATIENCE).until(() -> all(queue -> queue.consumers() > 0));
        await().atMost(PATIENCE).until(() -> trial.count() > 200);
        trial.execute("ALTER TABLE comments RENAME TO gone");
        fill(20);
        processor.kill();
        trial.execute("ALTER TABLE gone RENAME TO comments");
        assertThat(all(queue -> queue.messages() >= 20)).isTrue();
        // an operator lowers the number everywhere
        process(SERVICE, 1).start();
        JarProcess lowered = process(PROCESSOR, 1).with("COMMENTS_CONSUMERS", 2).with("COMMENTS_PREFETCH", 20).start();
        await().atMost(PATIENCE).until(() -> all(queue -> queue.consumers() == 1));
        assertThat(lowered.metric("comments_unsettled")).isLessThanOrEqualTo(40);
        trial.assertKept();
        assertThat(notifier.isAlive()).isTrue();
    }

    @Test
    void c41AQueueIsGoneOrNotConsumed() throws Exception {
        declare(QUEUES);
        JarProcess service = process(SERVICE, 3).with("COMMENTS_CONFIRM_TIMEOUT", 2_000).start();
        trial.process(NOTIFIER).launch();
        process(PROCESSOR, 3).start();
        Workload before = trial.post();
        await().atMost(PATIENCE).until(() -> trial.count() > 100 && all(queue -> queue.consumers() > 0));
        // what is in the queue would be gone with it
        before.close();
        trial.awaitEmpty("comments-3");
        trial.rabbitmq().ctl("delete_queue", "comments-3");
        trial.flood(Trial.CALLERS, Trial.PER_SECOND);
        await().atMost(PATIENCE).until(() -> service.observe("health").contains("the queue comments-3 is missing"));
        assertThat(service.observe("health/ready")).as("readiness").contains("\"status\":\"UP\"");
        // a group every 5 s is refused, the others are served
        trial.healed();
        SERVERS.declare("comments-3");
        await().atMost(PATIENCE).until(() -> trial.rabbitmq().messages("comments-3") >= 0
                && !service.observe("health").contains("comments-3 is missing"));
        trial.healed();
        // the running processor looks only now and then
        process(PROCESSOR, 1).start();
        await().atMost(PATIENCE).until(() -> all(queue -> queue.consumers() > 0));
        trial.assertKept();
    }

    @Test
    @Tag("nightly")
    void c41AQueueMayNotBeRead() throws Exception {
        declare(QUEUES);
        JarProcess service = process(SERVICE, 3).start();
        trial.process(NOTIFIER).launch();
        String user = PROCESSOR;
        List<String> permissions = new ArrayList<>(List.of("set_permissions", user, "^$", "^amq\\.default$"));
        permissions.add("^comments(-2)?$");
        trial.rabbitmq().ctl(permissions.toArray(String[]::new));
        try {
            JarProcess processor = process(PROCESSOR, 3).start();
            trial.post();
            await().atMost(PATIENCE).until(() -> trial.count() > 100);
            await().atMost(PATIENCE).until(() -> service.observe("health").contains("no process consumes comments-3"));
            assertThat(processor.isAlive()).isTrue();
        } finally {
            permissions.set(permissions.size() - 1, "^comments(-[0-9]+)?$");
            trial.rabbitmq().ctl(permissions.toArray(String[]::new));
        }
        await().atMost(PATIENCE).until(() -> !service.observe("health").contains("no process consumes"));
        trial.assertKept();
    }

    @Test
    void c41AUserThatMayNotDeclareNeedsTheQueues() throws Exception {
        declare(QUEUES.subList(0, 2));
        JarProcess service = process(SERVICE, 3).launch();
        assertThat(service.awaitEnd()).isEqualTo(1);
        assertThat(service.log()).last().asString().contains("the queue comments-3 at").contains("is missing, and this user may not declare it");
        JarProcess processor = process(PROCESSOR, 3).start();
        await().atMost(PATIENCE).until(() -> trial.rabbitmq().queues().get("comments-2").consumers() > 0);
        SERVERS.declare("comments-3");
        process(SERVICE, 3).start();
        assertThat(processor.isAlive()).isTrue();
    }
}
