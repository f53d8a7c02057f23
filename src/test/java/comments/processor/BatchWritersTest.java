package comments.processor;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import comments.rabbitmq.AcknowledgeInOrder;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Writers in a process that can't make threads for a time. */
class BatchWritersTest {

    private final AtomicBoolean noThreads = new AtomicBoolean();
    private final CountDownLatch written = new CountDownLatch(1);

    private final BatchWriters writers = new BatchWriters() {
        @Override
        Thread thread(Runnable task, String name) {
            return new Thread(task, name) {
                @Override
                public synchronized void start() {
                    if (noThreads.get()) {
                        throw new OutOfMemoryError("of a test: unable to create native thread");
                    }
                    super.start();
                }
            };
        }
    };

    @BeforeEach
    void one() {
        writers.setThreads(1);
        writers.setAcknowledge(new AcknowledgeInOrder());
    }

    @AfterEach
    void shutDown() {
        writers.shutdownNow();
    }

    @Test
    void aBatchWaitsForTheThreadThatCanNotBeMade() throws Exception {
        noThreads.set(true);
        writers.execute(written::countDown);
        noThreads.set(false);
        writers.execute(() -> { });
        assertThat(written.await(30, SECONDS)).isTrue();
    }

    @Test
    void aThreadThatEndsIsReplacedAsSoonAsOneCanBeMade() throws Exception {
        CountDownLatch queued = new CountDownLatch(1);
        writers.execute(() -> {
            try {
                queued.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            throw new StackOverflowError("of a test");
        });
        writers.execute(written::countDown);
        noThreads.set(true);
        queued.countDown();
        assertThat(written.await(500, MILLISECONDS)).isFalse();
        noThreads.set(false);
        assertThat(written.await(30, SECONDS)).isTrue();
    }
}
