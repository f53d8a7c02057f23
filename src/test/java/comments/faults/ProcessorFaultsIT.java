package comments.faults;

import static comments.faults.Trial.CONSUMING;
import static comments.faults.Trial.NOTIFIER;
import static comments.faults.Trial.NOTIFYING;
import static comments.faults.Trial.PROCESSOR;
import static comments.faults.Trial.SERVICE;
import static comments.faults.Trial.during;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.GetResponse;
import comments.faults.Attempt.Outcome;
import comments.support.JarProcess;
import comments.support.Proxy.Direction;
import java.sql.ResultSet;
import java.time.Duration;
import java.time.Instant;
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

/** What may happen to comment-job-processor, and to the broker and the database under it. */
class ProcessorFaultsIT extends ServiceFaults {

    private static final Duration END_LIMIT = Duration.ofSeconds(45);

    ProcessorFaultsIT() {
        super(PROCESSOR);
    }

    @Test
    void c1AProcessorIsKilledWhenMessagesAreDeliveredToIt() throws Exception {
        killAt("before:gather-batch:hold:300");
    }

    @Test
    void c2AProcessorIsKilledWithABatchThatIsPartlyGathered() throws Exception {
        JarProcess processor = start(service().with("COMMENTS_BATCH_INTERVAL", 60_000));
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
        int pushed = trial.pushes().size();
        await().atMost(Duration.ofSeconds(10)).until(() -> trial.pushes().size() > pushed);
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
    void c9ABrokerIsRestartedWithThreeBatchesInFlight() throws Exception {
        restartBroker(1);
    }

    @Test
    @Tag("nightly")
    void c9ABrokerIsRestartedTwentyTimesWithThreeBatchesInFlight() throws Exception {
        restartBroker(20);
    }

    private void restartBroker(int times) throws Exception {
        start(service().with("COMMENTS_CONSUMERS", 3).with("COMMENTS_WRITERS", 3));
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
        assertThat(trial.rabbitmq().queues().get("comments").unacknowledged()).isPositive();
        replace(processor);
        trial.assertKept();
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

    @Test
    void c14EveryMessageIsDeliveredTwice() throws Exception {
        trial.process(SERVICE).start();
        trial.post().close();
        try (Connection connection = SERVERS.connectToBroker(); Channel channel = connection.createChannel()) {
            channel.confirmSelect();
            List<GetResponse> messages = new ArrayList<>();
            for (GetResponse message = channel.basicGet("comments", true); message != null;
                    message = channel.basicGet("comments", true)) {
                messages.add(message);
            }
            for (int i = 0; i < 2; i++) {
                for (GetResponse message : messages) {
                    channel.basicPublish("", "comments", message.getProps(), message.getBody());
                }
            }
            channel.waitForConfirmsOrDie(10_000);
        }
        trial.process(PROCESSOR, NOTIFIER).start();
        assertThat(trial.assertKept().notifiedAgain()).isEqualTo(trial.history().ok());
    }

    @Test
    void c15AProcessIsToldToEndUnderLoad() throws Exception {
        JarProcess all = trial.process(SERVICE, PROCESSOR, NOTIFIER).start();
        trial.post();
        Instant told;
        try (CommitGate gate = new CommitGate(trial.connect())) {
            gate.awaitHeld();
            told = Instant.now();
            all.requestEnd();
            await().atMost(Duration.ofSeconds(10)).until(() -> refused(told, Instant.now()));
        }
        assertThat(all.awaitEnd()).isIn(0, 143);
        Instant ended = Instant.now();
        assertThat(Duration.between(told, ended)).isLessThan(END_LIMIT);
        assertThat(trial.history().between(told, ended)).filteredOn(attempt -> attempt.outcome() == Outcome.UNKNOWN)
                .as("neither accepted nor refused").allSatisfy(attempt -> assertThat(attempt.status()).isEqualTo(503));

        trial.process(SERVICE, PROCESSOR, NOTIFIER).launch();
        trial.healed();
        assertThat(trial.assertKept().notifiedAgain()).isZero();
    }

    @Test
    void c15AProcessorIsToldToEndUnderLoadWhenAnotherGoesOn() throws Exception {
        JarProcess processor = start();
        service().start();
        trial.post();
        Instant told = Instant.now();
        assertThat(processor.terminate()).isIn(0, 143);
        assertThat(Duration.between(told, Instant.now())).isLessThan(END_LIMIT);
        trial.healed();
        assertThat(trial.assertKept().notifiedAgain()).isZero();
        assertThat(trial.history().begun(told, Instant.now())).allMatch(attempt -> attempt.status() == 202);
    }

    @Test
    void c15ANotifierIsToldToEndUnderLoad() throws Exception {
        JarProcess others = trial.process(SERVICE, PROCESSOR).launch();
        JarProcess notifier = trial.process(NOTIFIER).start();
        others.awaitReady();
        trial.post();
        await().atMost(Duration.ofSeconds(10)).until(() -> !trial.pushes().isEmpty());
        assertThat(notifier.terminate()).isIn(0, 143);
        trial.process(NOTIFIER).launch();
        trial.healed();
        assertThat(trial.assertKept().notifiedAgain()).isZero();
    }

    @Test
    void c15ANotifierIsToldToEndWhenAPushHangs() throws Exception {
        JarProcess others = trial.process(SERVICE, PROCESSOR).launch();
        JarProcess notifier = trial.process(NOTIFIER).failpoint("before:push:hold:10").start();
        others.awaitReady();
        trial.post();
        Trial.awaitFailpoint(notifier);
        Instant told = Instant.now();
        assertThat(notifier.terminate()).isIn(0, 143);
        assertThat(Duration.between(told, Instant.now())).isLessThan(END_LIMIT);
        trial.process(NOTIFIER).launch();
        trial.healed();
        trial.assertKept();
    }

    private boolean refused(Instant from, Instant to) {
        return trial.history().between(from, to).stream().anyMatch(attempt -> attempt.status() == 503);
    }

    @Test
    void c15AProcessIsToldToEndWhenTheDatabaseIsDown() throws Exception {
        JarProcess processor = start();
        trial.post();
        trial.postgresql().stopImmediately();
        await().atMost(Duration.ofSeconds(30)).until(() -> processor.observe("health").contains("DOWN"));
        Instant told = Instant.now();
        assertThat(processor.terminate()).isIn(0, 143);
        assertThat(Duration.between(told, Instant.now())).isLessThan(END_LIMIT);
        trial.postgresql().startServer();
        service().launch();
        trial.healed();
        trial.assertKept();
    }

    @Test
    void c16AProcessorStopsWithABatchThatAnotherWritesInTheMeantime() throws Exception {
        JarProcess processor = start(service().failpoint("before:insert-comments:2000:10"));
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

    @Test
    void c17AProcessWithTooSmallAHeapCopesOrEndsAndLosesNothing() throws Exception {
        JarProcess small = trial.process(SERVICE, PROCESSOR, NOTIFIER).jvm("-Xmx64m").start();
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
