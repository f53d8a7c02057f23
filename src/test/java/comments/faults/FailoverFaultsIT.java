package comments.faults;

import static comments.faults.Trial.NOTIFIER;
import static comments.faults.Trial.PROCESSOR;
import static comments.faults.Trial.SERVICE;
import static comments.faults.Trial.during;
import static comments.support.PrivateServers.VERSIONS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import comments.support.JarProcess;
import comments.support.PgBouncer;
import comments.support.PrivatePostgreSQL;
import comments.support.PrivateServers;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What may happen between the pipeline and PostgreSQL: a failover, sessions that can't write, a pooler. */
class FailoverFaultsIT extends ServiceFaults {

    private static final String READER = "comment-reader";
    private static final int SERVER_CONNECTIONS = 2;

    FailoverFaultsIT() {
        super(PROCESSOR);
    }

    @Test
    @Tag(VERSIONS)
    void c21APrimaryIsKilledAndItsSynchronousStandbyPromoted() throws Exception {
        PrivatePostgreSQL primary = trial.postgresql();
        try (PrivatePostgreSQL standby = primary.startStandby()) {
            String servers = "127.0.0.1:%d,127.0.0.1:%d".formatted(primary.port(), standby.port());
            start(service().database(servers, "?targetServerType=primary"));
            JarProcess reader = trial.process(READER).database(servers, "?targetServerType=primary").start();
            JarProcess onStandby = trial.process(READER).database(servers, "?targetServerType=secondary").start();
            trial.post();
            awaitRead(reader);
            awaitRead(onStandby);
            try (CommitGate gate = new CommitGate(trial.connect())) {
                gate.awaitHeld();
                primary.stopImmediately();
            }
            during(Duration.ofSeconds(3), () -> trial.rate() > 0 && reader.get("/comments?postId=none").statusCode() == 503
                    && onStandby.get("/comments?postId=none").statusCode() == 200);
            standby.promote();
            SERVERS.failOver(standby);
            awaitRead(reader);
            trial.healed();
            trial.assertKept();
        } finally {
            SERVERS.failOver(null);
            primary.startAlone();
        }
    }

    private static void awaitRead(JarProcess reader) {
        await().atMost(Duration.ofSeconds(20)).until(() -> reader.get("/comments?postId=none").statusCode() == 200);
    }

    /** What is left of a primary that became a standby: sessions that stay, and can't write. */
    @Test
    @Tag(VERSIONS)
    void c22SessionsBecomeReadOnlyAndWritableAgain() throws Exception {
        JarProcess processor = start();
        trial.post();
        trial.execute("ALTER ROLE @ SET default_transaction_read_only = on");
        try {
            trial.endSessions();
            await("read-only in health").atMost(Duration.ofSeconds(30))
                    .until(() -> processor.observe("health").contains("25006"));
            during(Duration.ofSeconds(2), () -> trial.rate() > 0);
        } finally {
            trial.execute("ALTER ROLE @ RESET default_transaction_read_only");
        }
        trial.healed();
        trial.assertKept();
    }

    @Test
    void c23APoolerSharesTwoSessionsOfTheDatabaseBetweenReadsAndWrites() throws Exception {
        assumeTrue(PgBouncer.missing() == null, PgBouncer::missing);
        try (PgBouncer pooler = new PgBouncer(trial.postgresql(), SERVER_CONNECTIONS,
                Map.of(PrivateServers.WRITER, PrivateServers.PASSWORD))) {
            JarProcess all = trial.process(SERVICE, PROCESSOR, NOTIFIER, READER)
                    .database("127.0.0.1:" + pooler.port(), "")
                    // which the database does not know
                    .jvm("-Duser.timezone=IST").start();
            // the session that reads is there before one writes
            await().atMost(Duration.ofSeconds(30)).until(() -> all.get("/comments?postId=none").statusCode() == 200);
            try (Connection other = trial.connect(); Statement statement = other.createStatement()) {
                other.setAutoCommit(false);
                statement.execute("LOCK TABLE comments");
                Instant posted = Instant.now();
                assertThat(trial.postOne().status()).isEqualTo(202);
                Instant asked = Instant.now();
                assertThat(all.get("/comments?postId=none").statusCode()).isEqualTo(503);
                assertThat(Duration.between(asked, Instant.now())).as("the end of a read that takes too long")
                        .isLessThan(Duration.ofSeconds(4));
                // the insert waits in a session that has read, and has no limit of time
                await().until(() -> posted.isBefore(Instant.now().minusSeconds(5)));
            }
            await().atMost(Duration.ofSeconds(20)).until(trial::hasWrittenAll);
            assertThat(all.metric("comments_retries_total")).isZero();
            trial.post();
            AtomicInteger reads = new AtomicInteger();
            during(Duration.ofSeconds(5), () -> {
                boolean read = true;
                for (int i = 0; i < 10; i++) {
                    read &= all.get("/comments?postId=" + reads.incrementAndGet()).statusCode() == 200;
                }
                return read;
            });
            trial.healed();
            trial.assertKept();
        }
    }

    @Test
    void c23APoolerIsBetweenTheSchemaAndItsOwner() throws Exception {
        assumeTrue(PgBouncer.missing() == null, PgBouncer::missing);
        SERVERS.removeSchemaAndQueues();
        SERVERS.declare("comments");
        SERVERS.declare("comment-changes");
        SERVERS.declare("notifications");
        String database = SERVERS.database();
        try (PgBouncer pooler = new PgBouncer(trial.postgresql(), SERVER_CONNECTIONS,
                Map.of(PrivateServers.OWNER, PrivateServers.PASSWORD))) {
            JarProcess all = trial.process(SERVICE, PROCESSOR, NOTIFIER, READER)
                    .with("POSTGRES_URL", "jdbc:postgresql://127.0.0.1:%d/%s".formatted(pooler.port(), database))
                    .with("POSTGRES_USER", PrivateServers.OWNER).with("POSTGRES_MIGRATE", true).start();
            String id = all.post(Posted.number(1).json().toString()).body().replaceAll(".*\"id\":\"(.*)\".*", "$1");
            await().atMost(Duration.ofSeconds(10)).until(() -> all.get("/comments/" + id).statusCode() == 200);
            all.terminate();
        }
    }
}
