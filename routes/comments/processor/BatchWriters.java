package comments.processor;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The threads that write batches, at first and again. A batch that waits for its next attempt holds no thread, and attempts
 * are no more at once than there are threads, however many batches wait. What waits is bounded by the prefetch of the
 * consumers: the broker delivers no more while nothing is acknowledged. (Camel's own pool for delayed attempts holds 1,000
 * tasks; it refuses further ones, and then drops the exchange.)
 *
 * <p>An Error ends its thread, and another one takes its place. Camel leaves what follows the failed step to the thread, as if the step had
 * ended well: the next batch of that thread would acknowledge a batch that is not written. So the messages stay unsettled, as the health
 * check says, until the broker delivers them again.
 */
public class BatchWriters extends ScheduledThreadPoolExecutor {

    /** As many writers as cores. */
    public BatchWriters() {
        super(1);
        AtomicInteger number = new AtomicInteger();
        setThreadFactory(task -> new Thread(task, "batch-writer-" + number.incrementAndGet()));
        setThreads(0);
        // at the end, what waits for its next attempt is left to the broker, which delivers it again
        setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        setRemoveOnCancelPolicy(true);
    }

    /** How many threads write at once; 0 means one per core. */
    public void setThreads(int threads) {
        setCorePoolSize(threads > 0 ? threads : Runtime.getRuntime().availableProcessors());
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
