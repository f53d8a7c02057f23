package comments.faults;

import static comments.faults.Trial.NOTIFIER;
import static comments.faults.Trial.NOTIFYING;
import static comments.faults.Trial.PROCESSOR;
import static comments.faults.Trial.SERVICE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.JarProcess;
import comments.faults.Proxy.Direction;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What may happen to comment-job-processor, and to the broker and the database under it. */
class ProcessorFaultsIT {

    @RegisterExtension
    static final Servers SERVERS = new Servers();

    @RegisterExtension
    final Trial trial = new Trial(SERVERS);

    private JarProcess edge;

    /** Starts the two other services, and the processor. */
    private JarProcess start(Trial.Launch processor) throws Exception {
        edge = trial.process(SERVICE, NOTIFIER).launch();
        JarProcess started = processor.start();
        edge.awaitReady();
        return started;
    }

    /** Kills the processor, and starts another. */
    private void replace(JarProcess processor) throws Exception {
        processor.kill();
        trial.healed();
        trial.process(PROCESSOR).start();
    }

    /** Kills the processor when an exchange stands at a failpoint, after some have passed. */
    private void killAt(String failpoint) throws Exception {
        JarProcess processor = start(trial.process(PROCESSOR).failpoint(failpoint));
        trial.post();
        Trial.awaitFailpoint(processor);
        replace(processor);
        trial.assertKept();
    }

    @Test
    void c1AProcessorIsKilledWhenMessagesAreDeliveredToIt() throws Exception {
        killAt("before:gather-batch:hold:100");
    }

    @Test
    void c2AProcessorIsKilledWithABatchThatIsPartlyGathered() throws Exception {
        JarProcess processor = start(trial.process(PROCESSOR).with("COMMENTS_BATCH_INTERVAL", 60_000));
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
        JarProcess processor = start(trial.process(PROCESSOR));
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
        JarProcess processor = start(trial.process(PROCESSOR));
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
        JarProcess processor = start(trial.process(PROCESSOR));
        trial.post();
        trial.toBroker().hold(NOTIFYING, Direction.ANSWERS);
        int pushed = trial.pushes().size();
        await().atMost(Duration.ofSeconds(10)).until(() -> trial.pushes().size() > pushed);
        replace(processor);
        assertThat(trial.assertKept().notifiedAgain()).isPositive();
    }

    @Test
    void c7AProcessorIsKilledBeforeTheAcknowledgement() throws Exception {
        killAt("before:acknowledge-batch:hold:10");
    }

    @Test
    void c8AProcessorIsKilledAfterTheAcknowledgement() throws Exception {
        killAt("after:acknowledge-batch:hold:10");
    }
}
