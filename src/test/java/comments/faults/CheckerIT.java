package comments.faults;

import static comments.faults.Trial.NOTIFIER;
import static comments.faults.Trial.PROCESSOR;
import static comments.faults.Trial.PUBLISHING;
import static comments.faults.Trial.SERVICE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.faults.Verdict.Point;
import comments.support.JarProcess;
import comments.support.Proxy.Direction;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The application made unsafe on purpose: the checker must report the loss. */
class CheckerIT {

    @RegisterExtension
    static final Servers SERVERS = new Servers();

    @RegisterExtension
    final Trial trial = new Trial(SERVERS);

    @Test
    void aProcessorThatAcknowledgesWhatItOnlyHoldsInMemoryLosesItWhenItIsKilled() throws Exception {
        JarProcess edge = trial.process(SERVICE, NOTIFIER).launch();
        JarProcess processor = trial.process(PROCESSOR)
                .altered("comment-job-processor.camel.yaml", "acknowledgeMode: MANUAL", "acknowledgeMode: AUTO")
                .failpoint("before:insert-comments:hold:*").start();
        edge.awaitReady();
        Workload workload = trial.post();
        Trial.awaitFailpoint(processor);
        workload.close();
        await().atMost(Duration.ofSeconds(30)).until(() -> trial.rabbitmq().messages("comments") == 0);
        processor.kill();

        trial.process(PROCESSOR).start();
        assertThat(trial.verdict(Set.of()).violations()).containsKey(Point.LOST);
    }

    @Test
    void aServiceThatDoesNotWaitForConfirmsLosesWhatTheBrokerDidNotGet() throws Exception {
        JarProcess edge = trial.process(SERVICE, NOTIFIER)
                .altered("comment-service.camel.yaml", "confirm: enabled", "confirm: disabled").launch();
        trial.process(PROCESSOR).start();
        edge.awaitReady();
        trial.post();
        trial.toBroker().hold(PUBLISHING, Direction.REQUESTS);
        int before = trial.history().ok();
        await().atMost(Duration.ofSeconds(30)).until(() -> trial.history().ok() > before + 100);
        trial.rabbitmq().kill();
        trial.toBroker().release();
        trial.rabbitmq().startServer();

        assertThat(trial.verdict(Set.of()).violations()).containsKey(Point.LOST);
    }
}
