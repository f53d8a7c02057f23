package comments.processor;

import comments.rabbitmq.AcknowledgeInOrder;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The threads that write batches, at first and again. A batch that waits for its next attempt holds no thread, and attempts
 * are no more at once than there are threads, however many batches wait. What waits is bounded by the prefetch of the
 * consumers: the broker delivers no more while nothing is acknowledged. (Camel's own pool for delayed attempts holds 1,000
 * tasks; it refuses further ones, and then drops the exchange.)
 *
 * <p>An Error ends its thread, and another one takes its place. Camel leaves what follows the failed step to the thread, as if the step had
 * ended well: the next batch of that thread would acknowledge a batch that is not written. So the thread gives all messages that are not
 * settled back to the broker, which delivers them again. A batch that another thread is writing may then be written and notified twice.
 */
public class BatchWriters extends ScheduledThreadPoolExecutor {

    private static final Logger LOG = LoggerFactory.getLogger(BatchWriters.class);
    private static final long RETRY_MILLIS = 1_000;

    /** What a thread that ends has to do, and can fail. */
    private interface Duty {
        void run() throws Exception;
    }

    private AcknowledgeInOrder acknowledge;

    /** As many writers as cores. */
    public BatchWriters() {
        super(1);
        AtomicInteger number = new AtomicInteger();
        setThreadFactory(worker -> thread(() -> write(worker), "batch-writer-" + number.incrementAndGet()));
        setThreads(0);
        // at the end, what waits for its next attempt is left to the broker, which delivers it again
        setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        setRemoveOnCancelPolicy(true);
    }

    /** How many threads write at once; 0 means one per core. */
    public void setThreads(int threads) {
        setCorePoolSize(threads > 0 ? threads : Runtime.getRuntime().availableProcessors());
    }

    /** What acknowledges the messages of the batches. */
    public void setAcknowledge(AcknowledgeInOrder acknowledge) {
        this.acknowledge = acknowledge;
    }

    Thread thread(Runnable task, String name) {
        return new Thread(task, name);
    }

    /**
     * Writes a batch as soon as a thread is free. If a thread can't be made, the batch waits for another one: an Error here would end the
     * thread that completes batches after an interval.
     */
    @Override
    public void execute(Runnable task) {
        try {
            super.execute(task);
        } catch (Error e) {
            // it is in the queue before a thread is made
            LOG.error("A thread to write batches can't be made", e);
        }
    }

    private void write(Runnable worker) {
        try {
            worker.run();
        } catch (Error e) {
            LOG.error("A batch can't be written: the broker delivers it again", e);
            try {
                untilDone(acknowledge::giveBack);
                // the pool has tried this before, and does not again if it failed
                untilDone(this::prestartCoreThread);
            } catch (InterruptedException end) {
                // only a JVM that ends interrupts a writer
                Thread.currentThread().interrupt();
            }
        }
    }

    private void untilDone(Duty duty) throws InterruptedException {
        while (!isShutdown()) {
            try {
                duty.run();
                return;
            } catch (Exception | Error e) {
                LOG.error("A thread that wrote batches can't end properly yet", e);
            }
            Thread.sleep(RETRY_MILLIS);
        }
    }

    @Override
    protected void afterExecute(Runnable task, Throwable failure) {
        super.afterExecute(task, failure);
        // the task keeps it for itself; one that is periodic or cancelled has none
        if (task instanceof Future<?> future && future.isDone() && !future.isCancelled()) {
            try {
                future.get();
            } catch (ExecutionException e) {
                if (e.getCause() instanceof Error error) {
                    throw error;
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
