package comments.faults;

import static org.assertj.core.api.Assertions.assertThat;

import comments.support.JarProcess;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the tests of the faults of one service share: it runs in a process of its own, and the other two in another. */
abstract class ServiceFaults {

    @RegisterExtension
    static final Servers SERVERS = new Servers();

    @RegisterExtension
    final Trial trial = new Trial(SERVERS);

    /** Within which nine of ten requests are refused that can't be served. */
    static final Duration FAST = Duration.ofSeconds(1);

    private final String service;
    private final String[] others;

    ServiceFaults(String service) {
        this.service = service;
        others = Stream.of(Trial.SERVICE, Trial.PROCESSOR, Trial.NOTIFIER).filter(other -> !other.equals(service))
                .toArray(String[]::new);
    }

    /** Prepares a process with the service. */
    Launch service() {
        return trial.process(service);
    }

    /** Starts the two other services, and the service; returns its process. */
    JarProcess start(Launch launch) throws Exception {
        JarProcess neighbours = trial.process(others).launch();
        JarProcess started = launch.start();
        neighbours.awaitReady();
        return started;
    }

    JarProcess start() throws Exception {
        return start(service());
    }

    /** Kills the service, starts it again, and waits until all is as before. */
    void replace(JarProcess process) throws Exception {
        process.kill();
        service().launch();
        trial.healed();
    }

    /** Kills the service when an exchange stands at a failpoint, and starts it again. */
    Verdict killAt(String failpoint) throws Exception {
        JarProcess process = start(service().failpoint(failpoint));
        trial.post();
        Trial.awaitFailpoint(process);
        replace(process);
        return trial.assertKept();
    }

    static void assertRefusedFast(List<Attempt> attempts) {
        assertThat(attempts).allSatisfy(attempt -> {
            assertThat(attempt.status()).isEqualTo(503);
            assertThat(attempt.note()).contains("Retry-After: ");
        });
        assertTook(attempts, FAST);
    }

    /** Asserts that nine of ten attempts took less than a time, and all less than three times as long: the machine may pause. */
    static void assertTook(List<Attempt> attempts, Duration limit) {
        assertThat(attempts).allSatisfy(attempt -> assertThat(attempt.took()).isLessThan(limit.multipliedBy(3)));
        assertThat(attempts).filteredOn(attempt -> attempt.took().compareTo(limit) >= 0).hasSizeLessThanOrEqualTo(attempts.size() / 10);
    }
}
