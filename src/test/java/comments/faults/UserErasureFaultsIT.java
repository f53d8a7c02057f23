package comments.faults;

import static comments.faults.Trial.CHANGES;
import static comments.faults.Trial.NOTIFIER;
import static comments.faults.Trial.PROCESSOR;
import static comments.faults.Trial.SERVICE;
import static comments.support.PrivateServers.VERSIONS;
import static org.awaitility.Awaitility.await;

import comments.support.JarProcess;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Erasures of all comments of users, while their comments are posted, edited and written, and processes and the database are killed. */
class UserErasureFaultsIT {

    private static final int EDITS_PER_SECOND = 50;
    private static final Duration LIMIT = Duration.ofSeconds(30);

    @RegisterExtension
    static final Servers SERVERS = new Servers();

    @RegisterExtension
    final Trial trial = new Trial(SERVERS);

    private Changes changes;
    private JarProcess processor;
    private int user;

    private void startOthers() throws Exception {
        processor = trial.process(PROCESSOR).launch();
        JarProcess notifier = trial.process(NOTIFIER).launch();
        Changes.keyed(trial.process(SERVICE)).start();
        processor.awaitReady();
        notifier.awaitReady();
        trial.post();
        changes = trial.change(EDITS_PER_SECOND);
        await().atMost(LIMIT).until(() -> trial.count() > 500);
    }

    /** Erases users until something has happened, about ten each second. */
    private void eraseUntil(Callable<Boolean> happened) {
        await().atMost(LIMIT).pollInterval(Duration.ofMillis(100)).until(() -> {
            changes.eraseUser("user-" + user++);
            return happened.call();
        });
    }

    private void killAt(String failpoint) throws Exception {
        JarProcess process = trial.process(CHANGES).failpoint(failpoint).start();
        startOthers();
        eraseUntil(() -> process.log().anyMatch(line -> line.contains(Failpoint.REACHED)));
        process.kill();
        JarProcess next = trial.process(CHANGES).launch();
        eraseUntil(() -> next.log().anyMatch(line -> line.contains("Found all comments of users to erase")));
        settle();
    }

    private void settle() throws Exception {
        trial.healed();
        trial.assertKept();
    }

    @Test
    @Tag(VERSIONS)
    void c45TheSearchIsKilledBeforeItPublishes() throws Exception {
        killAt("before:erasures-to-comment-changes:hold:3");
    }

    @Test
    @Tag("nightly")
    void c46TheSearchIsKilledBeforeItNotesItsPlace() throws Exception {
        killAt("before:advance-user-erasures:hold:6");
    }

    @Test
    @Tag(VERSIONS)
    void c47CommentsComeAfterTheErasureOfTheirUsers() throws Exception {
        trial.process(CHANGES).start();
        startOthers();
        processor.kill();
        long before = trial.history().ok();
        eraseUntil(() -> trial.history().ok() > before + 4 * Trial.PER_SECOND);
        await().atMost(LIMIT).until(() -> SERVERS.number("SELECT count(*) FROM user_erasures") == user
                && SERVERS.number("SELECT count(*) FROM user_erasures_running") == 0);
        trial.process(PROCESSOR).launch();
        settle();
    }

    @Test
    void c48TheTableIsRewrittenAndTheDatabaseKilledWhileUsersAreSearched() throws Exception {
        JarProcess process = trial.process(CHANGES).start();
        startOthers();
        for (int i = 0; i < 3; i++) {
            int rewritten = user;
            trial.execute("VACUUM FULL comments");
            eraseUntil(() -> user > rewritten + 10);
        }
        trial.postgresql().stopImmediately();
        SERVERS.restore();
        eraseUntil(() -> process.isAlive() && SERVERS.number("SELECT count(*) FROM user_erasures") > user / 2);
        settle();
    }
}
