package comments.faults;

import static comments.faults.Trial.CHANGES;
import static comments.faults.Trial.NOTIFIER;
import static comments.faults.Trial.PROCESSOR;
import static comments.faults.Trial.SERVICE;
import static comments.support.PrivateServers.VERSIONS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.support.JarProcess;
import comments.support.Proxy.Direction;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Edits and erasures, while processes are killed or told to end, and the servers stop. */
class ChangeFaultsIT {

    private static final int PER_SECOND = 50;
    private static final int PREFETCH = 16;
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final String PUBLISHING = "comment-service publishing changes";
    private static final String NOTIFYING = "comment-changes publishing";

    @RegisterExtension
    static final Servers SERVERS = new Servers();

    @RegisterExtension
    final Trial trial = new Trial(SERVERS);

    private Changes changes;

    /** Prepares a process that takes changes, if comment-service is one of its services. */
    private Launch process(String... services) throws Exception {
        return Changes.keyed(trial.process(services));
    }

    /** Starts the services that are not named, in one process. */
    private JarProcess launchWithout(String... services) throws Exception {
        return process(Stream.of(SERVICE, PROCESSOR, NOTIFIER, CHANGES).filter(each -> !Stream.of(services).toList().contains(each))
                .toArray(String[]::new)).launch();
    }

    private void postAndChange() {
        trial.post();
        changes = trial.change(PER_SECOND);
    }

    /** Starts the process of a service, and another of all others; returns the first. */
    private JarProcess start(String service, Launch launch) throws Exception {
        JarProcess others = launchWithout(service);
        JarProcess started = launch.start();
        others.awaitReady();
        postAndChange();
        return started;
    }

    private JarProcess startChanges() throws Exception {
        return start(CHANGES, process(CHANGES));
    }

    private void awaitMoreChanges(int more) {
        long before = changes.ok();
        await().atMost(PATIENCE).until(() -> changes.ok() > before + more);
    }

    private long unacknowledged() throws Exception {
        return trial.rabbitmq().queues().get(CHANGES).unacknowledged();
    }

    private void settle() throws Exception {
        trial.healed();
        awaitMoreChanges(PER_SECOND);
        trial.assertKept();
    }

    private void replace(String service, JarProcess process) throws Exception {
        process.kill();
        process(service).launch();
        settle();
    }

    private void killAt(String service, String failpoint) throws Exception {
        kill(service, process(service).failpoint(failpoint));
    }

    /** Kills the service when it stands at its failpoint, and starts it again. */
    private void kill(String service, Launch launch) throws Exception {
        JarProcess process = start(service, launch);
        Trial.awaitFailpoint(process);
        replace(service, process);
    }

    @Test
    void c30ChangesAreKilledBeforeTheCommit() throws Exception {
        killAt(CHANGES, "before:apply-part:hold:5");
    }

    @Test
    @Tag(VERSIONS)
    void c31ChangesAreKilledAfterTheCommitAndBeforeTheAcknowledgement() throws Exception {
        killAt(CHANGES, "after:apply-part:hold:5");
    }

    @Test
    @Tag(VERSIONS)
    void c32ABrokerIsKilledWhileCommentsAreEditedAndErased() throws Exception {
        startChanges();
        awaitMoreChanges(PER_SECOND);
        trial.rabbitmq().kill();
        SERVERS.restore();
        settle();
    }

    @Test
    void c33ChangesOvertakeTheirComments() throws Exception {
        start(PROCESSOR, process(PROCESSOR));
        trial.execute("ALTER ROLE @ SET default_transaction_read_only = on");
        trial.endSessions();
        awaitMoreChanges(2 * PER_SECOND);
        awaitWaitingChanges();
        trial.execute("ALTER ROLE @ RESET default_transaction_read_only");
        trial.endSessions();
        settle();
    }

    private static void awaitWaitingChanges() {
        await().atMost(PATIENCE).until(() -> SERVERS.number("SELECT count(*) FROM comment_changes_waiting") > PER_SECOND / 2);
    }

    @Test
    @Tag("nightly")
    void c34ChangesAreKilledWhenMessagesAreDeliveredToThem() throws Exception {
        killAt(CHANGES, "before:gather-changes:hold:20");
    }

    @Test
    void c34ChangesAreKilledWithABatchThatIsPartlyGathered() throws Exception {
        kill(CHANGES, process(CHANGES).with("COMMENTS_BATCH_INTERVAL", 60_000).failpoint("after:gather-changes:hold:10"));
    }

    @Test
    void c35ChangesAreKilledBeforeACommitThatIsRolledBack() throws Exception {
        JarProcess process = startChanges();
        try (CommitGate gate = new CommitGate(trial.connect(), "UPDATE")) {
            gate.awaitHeld();
            process.kill();
            gate.rollBack();
        }
        replace(CHANGES, process);
    }

    @Test
    @Tag("nightly")
    void c35ChangesAreKilledBeforeACommitThatTheDatabaseMakesAllTheSame() throws Exception {
        JarProcess process = startChanges();
        try (CommitGate gate = new CommitGate(trial.connect(), "UPDATE")) {
            gate.awaitHeld();
            process.kill();
        }
        replace(CHANGES, process);
    }

    @Test
    void c36ChangesAreKilledBeforeTheirNotificationIsConfirmed() throws Exception {
        JarProcess process = startChanges();
        awaitMoreChanges(PER_SECOND);
        trial.toBroker().hold(NOTIFYING, Direction.ANSWERS);
        await().atMost(PATIENCE).until(() -> unacknowledged() == PREFETCH);
        process.kill();
        trial.toBroker().release();
        replace(CHANGES, process);
    }

    @Test
    void c37ChangesAreKilledBetweenNotificationAndAcknowledgement() throws Exception {
        killAt(CHANGES, "before:acknowledge-changes:hold:5");
    }

    @Test
    @Tag("nightly")
    void c37ChangesAreKilledAfterTheAcknowledgement() throws Exception {
        killAt(CHANGES, "after:acknowledge-changes:hold:5");
    }

    @Test
    void c38ChangesAreKilledWhileSomeWaitForTheirCommentsAndWhenTheseCome() throws Exception {
        JarProcess others = launchWithout(PROCESSOR, CHANGES);
        JarProcess process = process(CHANGES).start();
        others.awaitReady();
        postAndChange();
        awaitWaitingChanges();
        process.kill();
        JarProcess next = process(CHANGES).failpoint("before:tell-of-waiting-changes:hold:1").launch();
        process(PROCESSOR).launch();
        Trial.awaitFailpoint(next);
        replace(CHANGES, next);
    }

    @Test
    void c39EveryMessageIsDeliveredTwiceAndTheSecondTimeInTheOtherOrder() throws Exception {
        launchWithout(CHANGES).awaitReady();
        Workload workload = trial.post();
        changes = trial.change(PER_SECOND);
        awaitMoreChanges(3 * PER_SECOND);
        workload.close();
        changes.close();
        await().atMost(PATIENCE).until(trial::hasWrittenAll);
        SERVERS.deliverTwice(CHANGES);
        process(CHANGES).start();
        trial.assertKept();
    }

    @Test
    @Tag("nightly")
    void c42AServiceIsKilledBeforeItPublishesChanges() throws Exception {
        killAt(SERVICE, "before:to-comment-changes:hold:50");
    }

    @Test
    void c42AServiceIsKilledBetweenPublishAndConfirmOfChanges() throws Throwable {
        JarProcess service = start(SERVICE, process(SERVICE));
        awaitMoreChanges(PER_SECOND);
        // the publisher waits with the first change: one that was accepted before, or of an erased comment, would not be seen
        changes.betweenChanges(() -> {
            trial.toBroker().hold(PUBLISHING, Direction.ANSWERS);
            CompletableFuture.runAsync(() -> changes.editFresh("Not confirmed"));
            await("a change that was not confirmed").atMost(PATIENCE).until(() ->
                    SERVERS.number("SELECT count(*) FROM comments WHERE content = 'Not confirmed'") > 0);
        });
        service.kill();
        trial.toBroker().release();
        replace(SERVICE, service);
    }

    @Test
    void c42AServiceIsKilledBetweenConfirmAndAnswerOfChanges() throws Exception {
        killAt(SERVICE, "after:to-comment-changes:hold:50");
    }

    @Test
    void c43ADatabaseStopsWhenChangesAreAboutToCommit() throws Exception {
        startChanges();
        try (CommitGate gate = new CommitGate(trial.connect(), "UPDATE")) {
            gate.awaitHeld();
            trial.postgresql().stopImmediately();
        }
        awaitMoreChanges(PER_SECOND);
        trial.postgresql().startServer();
        settle();
    }

    @Test
    void c44AProcessIsToldToEndWhileCommentsAreEditedAndErased() throws Exception {
        JarProcess all = launchWithout().awaitReady();
        postAndChange();
        awaitMoreChanges(PER_SECOND);
        try (CommitGate gate = new CommitGate(trial.connect(), "UPDATE")) {
            gate.awaitHeld();
            all.requestEnd();
            await().atMost(PATIENCE).until(() -> trial.rate() == 0);
        }
        assertThat(all.awaitEnd()).isIn(0, 143);
        assertThat(changes.unanswered()).isZero();
        launchWithout();
        settle();
    }
}
