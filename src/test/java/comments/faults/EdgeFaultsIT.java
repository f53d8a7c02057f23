package comments.faults;

import static comments.faults.Trial.NOTIFIER;
import static comments.faults.Trial.PROCESSOR;
import static comments.faults.Trial.PUBLISHING;
import static comments.faults.Trial.SERVICE;
import static comments.faults.Trial.during;
import static comments.support.PrivateServers.ALONE;
import static comments.support.PrivateServers.VERSIONS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.faults.Attempt.Outcome;
import comments.support.JarProcess;
import comments.support.Proxy.Direction;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What may happen to comment-service: its end, and the troubles of the broker. */
class EdgeFaultsIT extends ServiceFaults {

    EdgeFaultsIT() {
        super(SERVICE);
    }

    @Test
    void e1AServiceIsKilledBeforeItPublishes() throws Exception {
        killAt("before:to-comments:hold:300");
    }

    @Test
    void e1AServiceIsKilledBetweenPublishAndConfirm() throws Exception {
        JarProcess service = start();
        trial.post();
        trial.toBroker().hold(PUBLISHING, Direction.ANSWERS);
        await().atMost(Duration.ofSeconds(30)).until(() -> trial.rows().size() > trial.history().ok());
        service.kill();
        trial.toBroker().release();
        replace(service);
        trial.assertKept();
    }

    @Test
    void e1AServiceIsKilledBetweenConfirmAndAnswer() throws Exception {
        killAt("after:to-comments:hold:300");
    }

    @Test
    void e2ABrokerIsKilledDuringTwoHundredConcurrentPosts() throws Exception {
        start();
        trial.post(200, 500);
        trial.rabbitmq().kill();
        trial.rabbitmq().startServer();
        trial.healed();
        trial.assertKept();
        assertThat(trial.history().attempts()).extracting(Attempt::status).containsOnly(202, 503);
    }

    @Test
    @Tag(ALONE)
    void e3ABrokerIsDownForSeconds() throws Exception {
        stopBroker(Duration.ofSeconds(5));
    }

    @Test
    @Tag("nightly")
    @Tag(ALONE)
    void e3ABrokerIsDownForMinutes() throws Exception {
        stopBroker(Duration.ofMinutes(2));
    }

    private void stopBroker(Duration down) throws Exception {
        start();
        trial.post();
        trial.rabbitmq().kill();
        Instant from = Instant.now();
        await().atMost(down.plusSeconds(5)).until(() -> Instant.now().isAfter(from.plus(down)));
        List<Attempt> refusals = trial.history().begun(from, from.plus(down).minus(FAST));
        trial.rabbitmq().startServer();
        trial.healed();
        trial.assertKept();
        assertThat(refusals).hasSizeGreaterThan((int) down.toSeconds());
        assertRefusedFast(refusals);
        assertThat(trial.recovery()).isLessThan(Duration.ofSeconds(15));
    }

    @Test
    @Tag(ALONE)
    void e4ABrokerIsABlackHole() throws Exception {
        start(service().with("COMMENTS_CONFIRM_TIMEOUT", 2_000));
        trial.post();
        trial.toBroker().blackHole();
        Instant from = Instant.now();
        await().atMost(Duration.ofSeconds(15)).until(() -> Instant.now().isAfter(from.plusSeconds(8)));
        trial.toBroker().release();
        trial.healed();
        trial.assertKept();
        List<Attempt> attempts = trial.history().begun(from.minus(FAST), from.plusSeconds(5));
        assertTook(attempts, Duration.ofSeconds(3));
        assertThat(attempts).hasSizeGreaterThan(10)
                .filteredOn(attempt -> attempt.outcome() != Outcome.OK).isNotEmpty()
                .allSatisfy(attempt -> assertThat(attempt.status()).isEqualTo(503));
    }

    @Test
    @Tag(VERSIONS)
    void e5TheQueueIsDeletedAtRunTime() throws Exception {
        start();
        assertThat(trial.postOne().status()).isEqualTo(202);
        await().atMost(Duration.ofSeconds(10)).until(() -> trial.rows().size() == 1);
        trial.awaitEmpty("comments");
        trial.rabbitmq().ctl("delete_queue", "comments");
        for (int i = 0; i < 20; i++) {
            assertThat(trial.postOne().status()).isEqualTo(503);
        }
        SERVERS.declare("comments");
        trial.post();
        trial.healed();
        trial.assertKept();
    }

    @Test
    @Tag(VERSIONS)
    void e6TheQueueIsFullUntilSomebodyConsumes() throws Exception {
        fillQueue(() -> trial.process(PROCESSOR, NOTIFIER).launch());
    }

    @Test
    @Tag(VERSIONS)
    void e6TheQueueIsFullUntilItsLimitIsLifted() throws Exception {
        fillQueue(() -> {
            SERVERS.liftLimit();
            return trial.process(PROCESSOR, NOTIFIER).launch();
        });
    }

    private void fillQueue(Callable<JarProcess> heal) throws Exception {
        int limit = 300;
        service().start();
        SERVERS.limit("comments", limit);
        try {
            trial.post();
            await().atMost(Duration.ofSeconds(20)).until(() -> trial.rate() == 0);
            during(Duration.ofSeconds(5), () -> trial.rabbitmq().messages("comments") <= limit + 20);
            heal.call();
            trial.healed();
            trial.assertKept();
        } finally {
            SERVERS.liftLimit();
        }
        assertThat(trial.history().attempts()).extracting(Attempt::status).containsOnly(202, 503);
    }

    @Test
    @Tag(VERSIONS)
    @Tag(ALONE)
    void e7CommentsAreRefusedAtOnceWhenTheDiskOfTheBrokerIsAlmostFull() throws Exception {
        start();
        trial.post();
        Instant from;
        SERVERS.fillDisk();
        try {
            from = Instant.now();
            await().atMost(Duration.ofSeconds(10)).until(() -> Instant.now().isAfter(from.plusSeconds(4)));
        } finally {
            SERVERS.freeDisk();
        }
        trial.healed();
        trial.assertKept();
        List<Attempt> refusals = trial.history().begun(from, from.plusSeconds(3));
        assertThat(refusals).hasSizeGreaterThan(10);
        assertRefusedFast(refusals);
    }

    @Test
    @Tag(VERSIONS)
    void e7CommentsInTheQueueAreWrittenWhenTheDiskOfTheBrokerIsAlmostFull() throws Exception {
        // no notification is confirmed meanwhile, so the consumers must be able to hold all
        trial.process(Trial.PROCESSOR, Trial.NOTIFIER).holdingAllMessages().start();
        service().start();
        trial.post();
        trial.toDatabase().hold("", Direction.ANSWERS);
        await().atMost(Duration.ofSeconds(10)).until(() -> trial.rabbitmq().messages("comments") > 100);
        SERVERS.fillDisk();
        try {
            trial.toDatabase().release();
            await().atMost(Duration.ofSeconds(10)).until(trial::hasWrittenAll);
        } finally {
            SERVERS.freeDisk();
        }
        trial.healed();
        trial.assertKept();
    }
}
