package comments.faults;

import static comments.faults.Trial.CHANGES;
import static comments.faults.Trial.NOTIFIER;
import static comments.faults.Trial.PROCESSOR;
import static comments.faults.Trial.SERVICE;
import static comments.support.PrivateServers.VERSIONS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.GetResponse;
import comments.faults.Attempt.Outcome;
import comments.support.JarProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** More deliveries of one message than the broker allows, which from 4.0 on has a limit by default. */
class DeliveryLimitFaultsIT extends ServiceFaults {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int DEFAULT_LIMIT = 20;
    // above the deliveries after which a message is renewed
    private static final int LIMIT = 4;
    private static final String POLICY = "deliveries";

    @TempDir
    Path folder;

    private boolean limited;
    private boolean deadLetters;

    DeliveryLimitFaultsIT() {
        super(PROCESSOR);
    }

    @Override
    Launch service() {
        return super.service().with("COMMENTS_PREFETCH", 0);
    }

    /** Gives a queue a policy that limits deliveries. */
    private void limitDeliveries(String queue, int limit, String more) throws Exception {
        trial.rabbitmq().ctl("set_policy", "--apply-to", "queues", POLICY, "^" + queue + "$",
                "{\"delivery-limit\":%d%s}".formatted(limit, more));
        limited = true;
    }

    @AfterEach
    void liftLimit() throws Exception {
        if (limited) {
            trial.rabbitmq().ctl("clear_policy", POLICY);
        }
        for (String queue : deadLetters ? List.of("comments", "comment-changes", "notifications") : List.<String>of()) {
            trial.rabbitmq().ctl("clear_policy", queue);
            trial.rabbitmq().ctl("delete_queue", queue + ".dropped");
        }
    }

    @Test
    @Tag(VERSIONS)
    void c18AProcessorIsKilledMoreOftenThanABrokerDeliversByDefault() throws Exception {
        // a message that is never renewed is dropped before
        killProcessors(DEFAULT_LIMIT + 2);
    }

    @Test
    @Tag(VERSIONS)
    void c18AProcessorIsKilledMoreOftenThanAPolicyAllows() throws Exception {
        limitDeliveries("comments", LIMIT, "");
        killProcessors(2 * LIMIT);
    }

    @Test
    @Tag("nightly")
    void c18AProcessorIsKilledManyTimes() throws Exception {
        killProcessors(120);
    }

    private void killProcessors(int times) throws Exception {
        trial.process(SERVICE, NOTIFIER).start();
        assertThat(trial.postOne().outcome()).isEqualTo(Outcome.OK);
        // the broker may take a moment to count it
        await().atMost(PATIENCE).until(() -> trial.rabbitmq().messages("comments") == 1);
        try (java.sql.Connection lock = trial.connect(); Statement statement = lock.createStatement()) {
            lock.setAutoCommit(false);
            statement.execute("LOCK TABLE comments");
            for (int i = 0; i < times; i++) {
                JarProcess processor = service().launch();
                // one that is killed before it renews what needs it is not what the limit leaves room for
                await().atMost(PATIENCE).until(DeliveryLimitFaultsIT::writing);
                processor.kill();
                // what is ready and what is not are two reads of the broker, and may be of two moments
                await("after %d kills".formatted(i + 1)).atMost(PATIENCE).until(() -> trial.rabbitmq().queues().get("comments").ready() > 0);
                trial.endSessions();
                await().atMost(PATIENCE).until(() -> !writing());
            }
        }
        service().start();
        trial.assertKept();
    }

    /** Whether a batch waits for the lock of the table. */
    private static boolean writing() throws Exception {
        // the server shows the first 1,024 bytes of a statement
        return SERVERS.number("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '-- Inserts one batch%'") > 0;
    }

    /** The limit is too low for a message to be published anew. The policy is that of docs/operations.md. */
    @Test
    @Tag(VERSIONS)
    void c18WhatAPolicyDropsIsKeptAndReplayed() throws Exception {
        String dropped = "comments.dropped";
        SERVERS.declare(dropped);
        limitDeliveries("comments", 1, """
                , "overflow": "reject-publish", "dead-letter-strategy": "at-least-once",
                "dead-letter-exchange": "", "dead-letter-routing-key": "%s"\
                """.formatted(dropped));
        trial.process(SERVICE, NOTIFIER).start();
        assertThat(trial.postOne().outcome()).isEqualTo(Outcome.OK);
        try (java.sql.Connection lock = trial.connect(); Statement statement = lock.createStatement()) {
            lock.setAutoCommit(false);
            statement.execute("LOCK TABLE comments");
            // what a process returns before it is killed counts, too
            for (int i = 0; i < DEFAULT_LIMIT && trial.rabbitmq().messages(dropped) == 0; i++) {
                JarProcess processor = service().launch();
                await().atMost(PATIENCE).until(() -> trial.rabbitmq().queues().get("comments").unacknowledged() > 0
                        || trial.rabbitmq().messages(dropped) > 0);
                processor.kill();
                await().atMost(PATIENCE).until(() -> trial.rabbitmq().queues().get("comments").unacknowledged() == 0);
                trial.endSessions();
            }
        }
        await().atMost(PATIENCE).until(() -> trial.rabbitmq().messages(dropped) == 1);
        service().start();
        try (Connection connection = SERVERS.connectToBroker(); Channel channel = connection.createChannel()) {
            GetResponse message = channel.basicGet(dropped, false);
            channel.confirmSelect();
            channel.basicPublish("", "comments", message.getProps(), message.getBody());
            channel.waitForConfirmsOrDie(10_000);
            channel.basicAck(message.getEnvelope().getDeliveryTag(), false);
        }
        trial.assertKept();
    }

    @Test
    void c18WhatPoliciesDropIsReplayedByTheDocumentedCommands() throws Exception {
        String section = Files.readString(Path.of("docs", "operations.md")).split("\n## Limits of deliveries\n")[1].split("\n## ")[0];
        List<String> commands = Pattern.compile("(?s)```sh\n(.*?)```").matcher(section).results().map(block -> block.group(1)).toList();
        assertThat(commands).hasSize(2);
        deadLetters = true;
        run(commands.get(0));
        Changes.keyed(trial.process(SERVICE)).start();
        Attempt posted = trial.postOne();
        assertThat(posted.outcome()).isEqualTo(Outcome.OK);
        try (java.sql.Connection lock = trial.connect(); Statement statement = lock.createStatement()) {
            lock.setAutoCommit(false);
            statement.execute("LOCK TABLE comments");
            killUntilDropped("comments", service());
        }
        assertThat(trial.count()).isZero();
        replay("comments", PROCESSOR, commands.get(1));
        // so that the change is the only notification that is dropped
        await().atMost(PATIENCE).until(() -> trial.rabbitmq().messages("notifications") == 1);
        JarProcess notifier = trial.process(NOTIFIER).start();
        await().atMost(PATIENCE).until(() -> trial.rabbitmq().messages("notifications") == 0);
        notifier.kill();
        trial.edit(posted.ids().get(0), "Edited");
        killUntilDropped("comment-changes", trial.process(CHANGES).failpoint("before:apply-part:hold"));
        replay("comment-changes", CHANGES, commands.get(1));
        await().atMost(PATIENCE).until(() -> trial.rabbitmq().messages("notifications") == 1);
        killUntilDropped("notifications", trial.process(NOTIFIER).failpoint("before:push:hold"));
        replay("notifications", NOTIFIER, commands.get(1));
        trial.assertKept();
    }

    private void killUntilDropped(String queue, Launch launch) throws Exception {
        String dropped = queue + ".dropped";
        // the broker may take a moment to count it
        await().atMost(PATIENCE).until(() -> trial.rabbitmq().messages(queue) == 1);
        for (int i = 0; trial.rabbitmq().messages(dropped) == 0; i++) {
            assertThat(i).isLessThanOrEqualTo(DEFAULT_LIMIT);
            JarProcess process = launch.launch();
            await().atMost(PATIENCE).until(() -> trial.rabbitmq().queues().get(queue).unacknowledged() > 0
                    || trial.rabbitmq().messages(dropped) > 0);
            process.kill();
            await().atMost(PATIENCE).until(() -> trial.rabbitmq().queues().get(queue).unacknowledged() == 0);
            trial.endSessions();
        }
        await().atMost(PATIENCE).until(() -> trial.rabbitmq().messages(dropped) == 1);
    }

    /** Starts a process that looks for dropped messages more often, and replays what it tells of. */
    private void replay(String queue, String role, String command) throws Exception {
        JarProcess process = trial.process(role).altered(role + ".camel.yaml", "period: \"30000\"", "period: \"1000\"").start();
        String told = "The queue %s.dropped has messages that must be replayed: 1".formatted(queue);
        await().atMost(PATIENCE).until(() -> process.observe("health").contains(told));
        run(command);
        await().atMost(PATIENCE).until(() -> trial.rabbitmq().messages(queue + ".dropped") == 0);
        await().atMost(PATIENCE).until(() -> !process.observe("health").contains(told));
    }

    // the server may see another root than these tests
    private void run(String command) throws Exception {
        Path file = Path.of("docker", "dead-letters.json");
        Files.copy(file, folder.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
        Path script = Files.writeString(folder.resolve("command"), "#!/bin/sh\nset -e\n" + command.replace("docker/", "${0%/*}/"));
        assertThat(script.toFile().setExecutable(true)).isTrue();
        trial.rabbitmq().run(script, Map.of(), file.getFileName().toString());
    }

    @Test
    @Tag(VERSIONS)
    void c18ANotifierIsKilledMoreOftenThanAMessageMayBeDelivered() throws Exception {
        limitDeliveries("notifications", LIMIT, "");
        trial.process(SERVICE, PROCESSOR).start();
        assertThat(trial.postOne().outcome()).isEqualTo(Outcome.OK);
        for (int i = 0; i < 2 * LIMIT; i++) {
            JarProcess notifier = trial.process(NOTIFIER).failpoint("before:push:hold").launch();
            Trial.awaitFailpoint(notifier);
            notifier.kill();
            await().atMost(PATIENCE).until(() -> trial.rabbitmq().queues().get("notifications").unacknowledged() == 0);
        }
        trial.process(NOTIFIER).start();
        trial.assertKept();
    }

    @Test
    @Tag(VERSIONS)
    void c18ChangesAreKilledMoreOftenThanTheirMessageMayBeDelivered() throws Exception {
        limitDeliveries("comment-changes", LIMIT, "");
        Changes.keyed(trial.process(SERVICE, PROCESSOR, NOTIFIER)).start();
        Attempt posted = trial.postOne();
        assertThat(posted.outcome()).isEqualTo(Outcome.OK);
        trial.edit(posted.ids().get(0), "Edited");
        for (int i = 0; i < 2 * LIMIT; i++) {
            JarProcess process = trial.process(CHANGES).failpoint("before:apply-part:hold").launch();
            Trial.awaitFailpoint(process);
            process.kill();
            await().atMost(PATIENCE).until(() -> trial.rabbitmq().queues().get("comment-changes").unacknowledged() == 0);
        }
        trial.process(CHANGES).start();
        trial.assertKept();
    }
}
