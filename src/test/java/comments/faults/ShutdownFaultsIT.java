package comments.faults;

import static comments.faults.Trial.NOTIFIER;
import static comments.faults.Trial.PROCESSOR;
import static comments.faults.Trial.SERVICE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.faults.Attempt.Outcome;
import comments.support.JarProcess;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** Processes that are told to end, under load and while something hangs or is down. */
class ShutdownFaultsIT extends ServiceFaults {

    private static final Duration END_LIMIT = Duration.ofSeconds(45);

    ShutdownFaultsIT() {
        super(PROCESSOR);
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
        await().atMost(Duration.ofSeconds(10)).until(() -> !trial.pushes().comments().isEmpty());
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
}
