package comments.faults;

import static comments.faults.Trial.CONSUMING;
import static comments.faults.Trial.NOTIFIER;
import static comments.faults.Trial.NOTIFYING;
import static comments.faults.Trial.PROCESSOR;
import static comments.faults.Trial.SERVICE;
import static comments.faults.Trial.during;
import static comments.support.PrivateServers.VERSIONS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.support.JarProcess;
import comments.support.Proxy.Direction;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What may happen to comment-job-processor, and to the broker. */
class ProcessorFaultsIT extends ServiceFaults {

    ProcessorFaultsIT() {
        super(PROCESSOR);
    }

    @Test
    void c1AProcessorIsKilledWhenMessagesAreDeliveredToIt() throws Exception {
        killAt("before:gather-batch:hold:300");
    }

    @Test
    void c2AProcessorIsKilledWithABatchThatIsPartlyGathered() throws Exception {
        JarProcess processor = start(service().with("COMMENTS_BATCH_INTERVAL", 60_000).holdingAllMessages());
        trial.post();
        await().atMost(Duration.ofSeconds(30)).until(() -> trial.rabbitmq().queues().get("comments").unacknowledged() > 100);
        assertThat(trial.rows()).isEmpty();
        replace(processor);
        trial.assertKept();
    }

    @Test
    void c3AProcessorIsKilledBeforeTheInsert() throws Exception {
        killAt("before:insert-comments:hold:10");
    }

    @Test
    void c4AProcessorIsKilledBeforeACommitThatIsRolledBack() throws Exception {
        JarProcess processor = start();
        trial.post();
        try (CommitGate gate = new CommitGate(trial.connect())) {
            gate.awaitHeld();
            processor.kill();
            gate.rollBack();
        }
        replace(processor);
        trial.assertKept();
    }

    @Test
    void c4AProcessorIsKilledBeforeACommitThatTheDatabaseMakesAllTheSame() throws Exception {
        JarProcess processor = start();
        trial.post();
        try (CommitGate gate = new CommitGate(trial.connect())) {
            gate.awaitHeld();
            processor.kill();
        }
        replace(processor);
        trial.assertKept();
    }

    @Test
    void c5AProcessorIsKilledAfterTheCommitAndBeforeItNotifies() throws Exception {
        killAt("after:insert-comments:hold:10");
    }

    @Test
    void c6AProcessorIsKilledBeforeTheNotificationIsConfirmed() throws Exception {
        JarProcess processor = start();
        trial.post();
        trial.toBroker().hold(NOTIFYING, Direction.ANSWERS);
        // the notification of what is promised from here on is not confirmed
        Instant held = Instant.now();
        await().atMost(Duration.ofSeconds(30)).until(() -> {
            List<UUID> pushed = trial.pushes().comments();
            return trial.history().begun(held, Instant.now()).stream().flatMap(attempt -> attempt.ids().stream()).anyMatch(pushed::contains);
        });
        processor.kill();
        trial.toBroker().release();
        replace(processor);
        assertThat(trial.assertKept().notifiedAgain()).isPositive();
    }

    @Test
    void c7AProcessorIsKilledBeforeTheAcknowledgement() throws Exception {
        assertThat(killAt("before:acknowledge-batch:hold:10").notifiedAgain()).isPositive();
    }

    @Test
    void c8AProcessorIsKilledAfterTheAcknowledgement() throws Exception {
        killAt("after:acknowledge-batch:hold:10");
    }

    @Test
    @Tag(VERSIONS)
    void c9ABrokerIsRestartedWithThreeBatchesInFlight() throws Exception {
        restartBroker(1);
    }

    @Test
    @Tag(VERSIONS)
    @Tag("nightly")
    void c9ABrokerIsRestartedTwentyTimesWithThreeBatchesInFlight() throws Exception {
        restartBroker(20);
    }

    private void restartBroker(int times) throws Exception {
        start(service().with("COMMENTS_CONSUMERS", 3).with("COMMENTS_WRITERS", 3).with("COMMENTS_PREFETCH", 130));
        trial.post();
        for (int i = 0; i < times; i++) {
            try (CommitGate gate = new CommitGate(trial.connect())) {
                gate.awaitHeld(3);
                trial.rabbitmq().kill();
            }
            trial.rabbitmq().startServer();
            trial.healed();
        }
        await().atMost(Duration.ofSeconds(10)).until(() -> trial.rabbitmq().queues().get("comments").consumers() == 3);
        trial.assertKept();
    }

    @Test
    void c10AProcessorIsKilledWhenABatchIsNotWrittenThatOthersOvertook() throws Exception {
        JarProcess processor = start(service().with("COMMENTS_WRITERS", 3)
                .failpoint("before:insert-comments:hold:10"));
        trial.post();
        Trial.awaitFailpoint(processor);
        int written = trial.rows().size();
        await().atMost(Duration.ofSeconds(10)).until(() -> trial.rows().size() > written + 500);
        await().atMost(Duration.ofSeconds(10)).until(() -> trial.rabbitmq().queues().get("comments").unacknowledged() > 0);
        replace(processor);
        trial.assertKept();
    }

    @Test
    void c14EveryMessageIsDeliveredTwice() throws Exception {
        trial.process(SERVICE).start();
        trial.post().close();
        SERVERS.deliverTwice("comments");
        trial.process(PROCESSOR, NOTIFIER).start();
        assertThat(trial.assertKept().notifiedAgain()).isEqualTo(trial.history().ok());
    }

    @Test
    @Tag(VERSIONS)
    void c49AProcessorIsKilledBetweenTheInsertAndTheComparisonOfAnIdThatExists() throws Exception {
        JarProcess processor = start(service().failpoint("before:quarantine-differing:hold"));
        trial.post();
        Posted good = Posted.number(-1);
        String id = UUID.randomUUID().toString();
        trial.publish("[" + good.json().put("id", id) + "]", Set.of(good));
        await().atMost(Duration.ofSeconds(30)).until(() -> SERVERS.number("SELECT count(*) FROM comments WHERE id = '" + id + "'") == 1);
        trial.publish("[" + good.json().put("id", id).put("content", "<poison>") + "]", Set.of());
        Trial.awaitFailpoint(processor);
        replace(processor);
        trial.assertKept(Set.of("<poison>"));
    }

    @Test
    void c16AProcessorStopsWithABatchThatAnotherWritesInTheMeantime() throws Exception {
        // behind the question whether the broker has taken the messages back
        JarProcess processor = start(service().failpoint("before:insert-part:2000:10"));
        trial.post();
        Trial.awaitFailpoint(processor);
        processor.freeze();
        Instant frozen = Instant.now();
        // what the broker does by itself when the heartbeats have been missing long enough
        trial.toBroker().reset(CONSUMING);
        service().start();
        await().atMost(Duration.ofSeconds(30)).until(() -> trial.hasCaughtUp(frozen));
        processor.thaw();
        trial.healed();
        assertThat(trial.assertKept().notifiedAgain()).as("written by the other, and notified by both").isPositive();
    }

    @Test
    @Tag("nightly")
    void c16AProcessorStopsForMinutes() throws Exception {
        JarProcess processor = start(service().failpoint("before:insert-comments:2000:10"));
        service().start();
        trial.post();
        Trial.awaitFailpoint(processor);
        processor.freeze();
        during(Duration.ofMinutes(2), () -> trial.rate() > 0);
        processor.thaw();
        trial.healed();
        trial.assertKept();
    }

    /** As when its machine is cut off: the server does not learn of it. */
    @Test
    @Tag("nightly")
    void c50AProcessorStopsBetweenAnInsertAndItsCommit() throws Exception {
        JarProcess processor = start();
        try (Workload posts = trial.post(); CommitGate gate = CommitGate.beforeTheCommit(trial.connect())) {
            gate.awaitHeld();
            processor.freeze();
        }
        trial.toBroker().reset(CONSUMING);
        service().start();
        await().atMost(Duration.ofSeconds(30)).until(() ->
                SERVERS.number("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'") > 0);
        assertThat(trial.hasWrittenAll()).isFalse();
        await().atMost(Duration.ofSeconds(100)).until(trial::hasWrittenAll);
        processor.thaw();
        trial.assertKept();
    }

    @Test
    void c17AProcessWithTooSmallAHeapCopesOrEndsAndLosesNothing() throws Exception {
        JarProcess small = trial.process(SERVICE, PROCESSOR, NOTIFIER).jvm("-Xmx64m").with("COMMENTS_PREFETCH", 0).start();
        trial.post();
        trial.toDatabase().hold("", Direction.ANSWERS);
        try (Workload flood = trial.flood(64, Workload.UNPACED)) {
            Instant from = Instant.now();
            await().atMost(Duration.ofSeconds(30)).until(() ->
                    !small.isAlive() || Duration.between(from, Instant.now()).toSeconds() > 8);
        }
        trial.toDatabase().release();
        // it may be what it does now that is too much
        await().atMost(Duration.ofSeconds(60)).until(() -> !small.isAlive() || trial.rabbitmq().messages("comments") < 200);
        if (!small.isAlive()) {
            assertThat(small.awaitEnd()).as("the exit code of -XX:+ExitOnOutOfMemoryError").isEqualTo(3);
            trial.process(SERVICE, PROCESSOR, NOTIFIER).launch();
        }
        trial.healed();
        trial.assertKept();
    }
}
