package comments.faults;

import static comments.faults.Trial.CHANGES;
import static comments.faults.Trial.NOTIFIER;
import static comments.faults.Trial.PROCESSOR;
import static comments.faults.Trial.SERVICE;
import static comments.support.PrivateServers.VERSIONS;
import static org.awaitility.Awaitility.await;

import comments.support.JarProcess;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Edits and erasures, while processes and the broker are killed. */
class ChangeFaultsIT {

    private static final int PER_SECOND = 50;

    @RegisterExtension
    static final Servers SERVERS = new Servers();

    @RegisterExtension
    final Trial trial = new Trial(SERVERS);

    private Changes changes;

    private void startOthers(Launch... more) throws Exception {
        JarProcess others = trial.process(PROCESSOR, NOTIFIER).launch();
        for (Launch launch : more) {
            launch.start();
        }
        Changes.keyed(trial.process(SERVICE)).start();
        others.awaitReady();
        trial.post();
        changes = trial.change(PER_SECOND);
    }

    private void killAt(String failpoint) throws Exception {
        JarProcess process = trial.process(CHANGES).failpoint(failpoint).start();
        startOthers();
        Trial.awaitFailpoint(process);
        process.kill();
        trial.process(CHANGES).launch();
        settle();
    }

    private void settle() throws Exception {
        trial.healed();
        long before = changes.ok();
        await().atMost(Duration.ofSeconds(30)).until(() -> changes.ok() > before + PER_SECOND);
        trial.assertKept();
    }

    @Test
    void c30ChangesAreKilledBeforeTheCommit() throws Exception {
        killAt("before:apply-part:hold:5");
    }

    @Test
    @Tag(VERSIONS)
    void c31ChangesAreKilledAfterTheCommitAndBeforeTheAcknowledgement() throws Exception {
        killAt("after:apply-part:hold:5");
    }

    @Test
    @Tag(VERSIONS)
    void c32ABrokerIsKilledWhileCommentsAreEditedAndErased() throws Exception {
        startOthers(trial.process(CHANGES));
        await().atMost(Duration.ofSeconds(30)).until(() -> changes.ok() > PER_SECOND);
        trial.rabbitmq().kill();
        SERVERS.restore();
        settle();
    }

    @Test
    void c33ChangesOvertakeTheirComments() throws Exception {
        startOthers(trial.process(CHANGES));
        trial.execute("ALTER ROLE @ SET default_transaction_read_only = on");
        trial.endSessions();
        long before = changes.ok();
        await().atMost(Duration.ofSeconds(30)).until(() -> changes.ok() > before + 2 * PER_SECOND);
        await().atMost(Duration.ofSeconds(30)).until(() -> SERVERS.number("SELECT count(*) FROM comment_changes_waiting") > 0);
        trial.execute("ALTER ROLE @ RESET default_transaction_read_only");
        trial.endSessions();
        settle();
    }
}
