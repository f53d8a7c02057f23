package comments.faults;

import static comments.faults.Trial.NOTIFIER;
import static comments.faults.Trial.PROCESSOR;
import static comments.faults.Trial.during;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.ObjectNode;
import comments.support.JarProcess;
import java.sql.ResultSet;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What may happen to the database under comment-job-processor, and comments that it refuses. */
class DatabaseFaultsIT extends ServiceFaults {

    DatabaseFaultsIT() {
        super(PROCESSOR);
    }

    @Test
    void c11ADatabaseStopsInMidCommitForSeconds() throws Exception {
        stopDatabase(Duration.ofSeconds(8));
    }

    @Test
    @Tag("nightly")
    void c11ADatabaseStopsInMidCommitForMinutes() throws Exception {
        stopDatabase(Duration.ofMinutes(5));
    }

    private void stopDatabase(Duration down) throws Exception {
        JarProcess processor = start(service().with("COMMENTS_CONSUMERS", 2).with("COMMENTS_PREFETCH", 100));
        trial.post();
        try (CommitGate gate = new CommitGate(trial.connect())) {
            gate.awaitHeld();
            trial.postgresql().stopImmediately();
        }
        during(down, () -> processor.metric("comments_unsettled") <= 200 && trial.rate() > 0);
        assertThat(processor.observe("health")).contains("DOWN");
        trial.postgresql().startServer();
        long written = trial.count();
        await("written again").atMost(Checker.RECOVERY_LIMIT).until(() -> trial.count() > written);
        // how long the backlog takes depends on the machine
        await("backlog written").atMost(Checker.RECOVERY_LIMIT.plus(down)).until(() -> trial.rabbitmq().messages("comments") < 1_000);
        trial.healed();
        trial.assertKept();
    }

    /** What a database may refuse to do, how that begins and ends, and the SQLSTATE it gives as the reason. */
    private enum Refusal {
        DISK_FULL("53100", """
                CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$;
                CREATE TRIGGER disk_full BEFORE INSERT ON comments EXECUTE FUNCTION disk_full()""",
                "DROP TRIGGER disk_full ON comments"),
        TOO_MANY_CONNECTIONS("53300", "ALTER ROLE @ CONNECTION LIMIT 0", "ALTER ROLE @ CONNECTION LIMIT -1"),
        READ_ONLY("25006", "ALTER SYSTEM SET default_transaction_read_only = on",
                "ALTER SYSTEM RESET default_transaction_read_only"),
        TABLE_GONE("42P01", "ALTER TABLE comments RENAME TO gone", "ALTER TABLE gone RENAME TO comments"),
        PERMISSION_REVOKED("42501", "REVOKE INSERT ON comments FROM @", "GRANT INSERT ON comments TO @");

        private final String sqlState;
        private final String begin;
        private final String end;

        Refusal(String sqlState, String begin, String end) {
            this.sqlState = sqlState;
            this.begin = begin;
            this.end = end;
        }
    }

    @Test
    void c12ADatabaseRefusesToWriteForOneReasonAfterTheOther() throws Exception {
        JarProcess processor = start();
        trial.post();
        for (Refusal refusal : Refusal.values()) {
            trial.execute(refusal.begin);
            trial.execute("SELECT pg_reload_conf()");
            if (refusal == Refusal.TOO_MANY_CONNECTIONS) {
                trial.endSessions();
            }
            try {
                await(refusal + " in health").atMost(Duration.ofSeconds(30)).until(() ->
                        processor.observe("health").contains("DOWN")
                                && processor.observe("health").contains(refusal.sqlState));
                during(Duration.ofSeconds(1), () -> trial.rate() > 0);
            } finally {
                trial.execute(refusal.end);
                trial.execute("SELECT pg_reload_conf()");
            }
            trial.healed(refusal.toString());
            assertThat(trial.recovery()).as("recovery from " + refusal).isNotNull();
        }
        trial.assertKept();
    }

    @Test
    void c12TheDatabaseIsFrozenForSeconds() throws Exception {
        start();
        trial.post();
        trial.postgresql().freeze();
        during(Duration.ofSeconds(5), () -> trial.rate() > 0);
        trial.postgresql().thaw();
        trial.healed();
        trial.assertKept();
    }

    @Test
    @Tag("nightly")
    void c12TheDatabaseIsFrozenForMinutesAndHealthSaysSo() throws Exception {
        JarProcess processor = start();
        trial.post();
        trial.postgresql().freeze();
        during(Duration.ofMinutes(2), () -> trial.rate() > 0);
        assertThat(processor.observe("health")).contains("DOWN");
        trial.postgresql().thaw();
        trial.healed();
        trial.assertKept();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 50, 5_000})
    void c13BadCommentsAreQuarantinedAndTheOthersWritten(int bad) throws Exception {
        int all = 5_000;
        Random random = new Random(bad);
        Set<Integer> places = new HashSet<>();
        while (places.size() < bad) {
            places.add(random.nextInt(all));
        }
        Set<String> poison = new HashSet<>();
        Set<Posted> good = new HashSet<>();
        trial.process(NOTIFIER).launch();
        JarProcess processor = service().start();
        for (int from = 0; from < all; from += 100) {
            List<ObjectNode> message = new ArrayList<>();
            for (int i = from; i < from + 100; i++) {
                Posted comment = Posted.number(-1 - i);
                ObjectNode json = comment.json().put("id", new UUID(bad, i).toString())
                        .put("acceptedAt", "2026-11-22T15:00:00.123Z");
                if (places.contains(i)) {
                    poison.add("<poison " + i + ">");
                    spoil(json.put("postId", "<poison " + i + ">"), i);
                } else {
                    good.add(comment);
                }
                message.add(json);
            }
            trial.publish(message.toString(), good);
        }
        trial.assertKept(poison);
        assertThat(processor.isAlive()).isTrue();
        // bisection tries halves: about two statements for each bad comment on each level
        double levels = Math.log((double) all / bad) / Math.log(2) + 3;
        assertThat(rollbacks()).isLessThan((long) (100 + 2 * bad * levels));
    }

    /** Makes a comment one that PostgreSQL refuses, for one of several reasons. */
    private static void spoil(ObjectNode comment, int which) {
        switch (which % 5) {
            case 0 -> comment.putNull("content");
            case 1 -> comment.put("content", "a\u0000b");
            case 2 -> comment.put("parentId", "not an id");
            case 3 -> comment.put("acceptedAt", "some day");
            default -> comment.remove("userName");
        }
    }

    private long rollbacks() throws Exception {
        try (var connection = trial.connect(); ResultSet row = connection.createStatement().executeQuery(
                "SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()")) {
            row.next();
            return row.getLong(1);
        }
    }

    @Test
    void c13AMessageThatIsNoJsonIsQuarantinedAndTheOthersWritten() throws Exception {
        start();
        trial.post();
        trial.publish("<poison 1> is no JSON", Set.of());
        trial.publish("[{\"postId\":\"<poison 2>\"", Set.of());
        trial.publish("[{\"postId\":\"<poison 3>\"}]", Set.of());
        trial.healed();
        trial.assertKept(Set.of("<poison 1>", "<poison 2>", "<poison 3>"));
    }
}
