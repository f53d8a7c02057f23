package comments.faults;

import static comments.faults.Trial.NOTIFIER;
import static comments.faults.Trial.NOTIFYING;
import static comments.faults.Trial.PROCESSOR;
import static comments.faults.Trial.SERVICE;
import static comments.faults.Trial.during;
import static comments.support.PrivateServers.ALONE;
import static comments.support.PrivateServers.VERSIONS;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import comments.support.JarProcess;
import comments.support.Proxy.Direction;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What may happen to notification-service and to its queue. */
class NotificationFaultsIT extends ServiceFaults {

    private static final Duration PAUSE = Duration.ofSeconds(3);

    NotificationFaultsIT() {
        super(NOTIFIER);
    }

    @Test
    void n1ANotifierIsKilledBeforeAPush() throws Exception {
        killAt("before:push:hold:10");
    }

    @Test
    void n1ANotifierIsKilledAfterAPush() throws Exception {
        assertThat(killAt("after:push:hold:10").notifiedAgain()).isPositive();
    }

    /** What is written and can't be notified stays in the queue. */
    private void awaitWrittenAndNotAcknowledged() {
        await().atMost(Duration.ofSeconds(20)).until(() -> trial.rabbitmq().queues().get("comments").unacknowledged() > 100);
        Instant from = Instant.now();
        await().atMost(Duration.ofSeconds(20)).until(() -> trial.hasCaughtUp(from));
    }

    @Test
    @Tag(VERSIONS)
    void n2TheQueueOfNotificationsIsFullUntilSomebodyConsumes() throws Exception {
        fillQueue(() -> service().launch());
    }

    @Test
    @Tag(VERSIONS)
    void n2TheQueueOfNotificationsIsFullUntilItsLimitIsLifted() throws Exception {
        fillQueue(() -> {
            SERVERS.liftLimit();
            return service().launch();
        });
    }

    // a processor that holds as many messages as it may would write no more
    private Launch others() throws Exception {
        return trial.process(SERVICE, PROCESSOR).holdingAllMessages();
    }

    private void fillQueue(Callable<JarProcess> heal) throws Exception {
        JarProcess others = others().start();
        trial.post();
        SERVERS.limit("notifications", 10);
        try {
            awaitWrittenAndNotAcknowledged();
            assertThat(others.observe("health")).contains("DOWN");
            heal.call();
            trial.healed();
            trial.assertKept();
        } finally {
            SERVERS.liftLimit();
        }
    }

    @Test
    @Tag(VERSIONS)
    void n2TheQueueOfNotificationsIsGone() throws Exception {
        JarProcess others = others().launch();
        service().start();
        others.awaitReady();
        trial.post();
        // what is in the queue would be gone with it
        trial.toBroker().hold(NOTIFYING, Direction.REQUESTS);
        trial.awaitEmpty("notifications");
        trial.rabbitmq().ctl("delete_queue", "notifications");
        trial.toBroker().release();
        awaitWrittenAndNotAcknowledged();
        SERVERS.declare("notifications");
        trial.healed();
        trial.assertKept();
    }

    @Test
    @Tag(ALONE)
    void n3TheThrottleIsSlowerThanTheInflowForSeconds() throws Exception {
        throttle(Duration.ofSeconds(8));
    }

    @Test
    @Tag("nightly")
    @Tag(ALONE)
    void n3TheThrottleIsSlowerThanTheInflowForMinutes() throws Exception {
        throttle(Duration.ofMinutes(10));
    }

    /** Waits while what is promised is written, without a long pause: a short one may be the machine's. */
    private void awaitWriting(Duration time, Instant from) {
        AtomicReference<Instant> written = new AtomicReference<>(Instant.now());
        during(time, () -> {
            if (trial.hasCaughtUp(from)) {
                written.set(Instant.now());
            }
            return written.get().isAfter(Instant.now().minus(PAUSE));
        });
    }

    private void throttle(Duration time) throws Exception {
        JarProcess notifier = start(service().with("NOTIFICATIONS_PER_PERIOD", 1));
        trial.post();
        Instant from = Instant.now();
        awaitWriting(time, from);
        assertThat(trial.rabbitmq().messages("notifications")).isGreaterThan(time.toSeconds());
        assertThat(trial.history().begun(from, Instant.now())).allMatch(attempt -> attempt.status() == 202);
        assertThat(trial.history().served(from, from.plus(time)))
                .isGreaterThan((long) (0.9 * Trial.PER_SECOND * time.toSeconds()));
        replace(notifier);
        trial.assertKept();
    }

    /** A receiver that takes no push in the given time: at first it does not answer, then it answers 503. */
    private HttpServer receiver(AtomicBoolean mended) throws IOException {
        HttpServer receiver = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        receiver.setExecutor(Executors.newCachedThreadPool());
        AtomicInteger attempts = new AtomicInteger();
        receiver.createContext("/", exchange -> {
            boolean down = !mended.get();
            if (down && attempts.incrementAndGet() == 1) {
                // until the notifier gives up and closes the connection
                return;
            }
            if (!down) {
                trial.pushes().received(new String(exchange.getRequestBody().readAllBytes(), UTF_8));
            }
            exchange.sendResponseHeaders(down ? 503 : 204, -1);
            exchange.close();
        });
        receiver.start();
        return receiver;
    }

    @Test
    @Tag(ALONE)
    void n4TheReceiverOfPushesIsSlowAndThenDown() throws Exception {
        Duration time = Duration.ofSeconds(12);
        AtomicBoolean mended = new AtomicBoolean();
        HttpServer receiver = receiver(mended);
        try {
            JarProcess notifier = start(service().with("NOTIFICATIONS_PUSH_TIMEOUT", 4_000).with("NOTIFICATIONS_PUSH_PRIVATE", true)
                    .with("NOTIFICATIONS_PUSH_ENDPOINT", "http://127.0.0.1:" + receiver.getAddress().getPort() + "/hook"));
            trial.post();
            Instant from = Instant.now();
            awaitWriting(time, from);
            assertThat(notifier.pushed()).isZero();
            assertThat(notifier.observe("health")).contains("HTTP 503");
            assertThat(trial.history().begun(from, Instant.now())).allMatch(attempt -> attempt.status() == 202);
            assertThat(trial.history().served(from, from.plus(time)))
                    .isGreaterThan((long) (0.9 * Trial.PER_SECOND * time.toSeconds()));
            mended.set(true);
            await().atMost(Duration.ofSeconds(40)).until(() -> notifier.pushed() > 0);
            trial.healed();
            trial.assertKept();
        } finally {
            receiver.stop(0);
        }
    }
}
