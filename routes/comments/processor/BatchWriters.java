package comments.processor;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The threads that write batches. What waits for one of them is bounded by the prefetch of the consumers: the broker
 * delivers no more while nothing is acknowledged.
 */
public class BatchWriters extends ThreadPoolExecutor {

    /** As many writers as cores. */
    public BatchWriters() {
        super(1, 1, 1, TimeUnit.MINUTES, new LinkedBlockingQueue<>());
        AtomicInteger number = new AtomicInteger();
        setThreadFactory(task -> new Thread(task, "batch-writer-" + number.incrementAndGet()));
        setThreads(0);
    }

    /** How many threads write at once; 0 means one per core. */
    public void setThreads(int threads) {
        int size = threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
        setMaximumPoolSize(Math.max(size, getMaximumPoolSize()));
        setCorePoolSize(size);
        setMaximumPoolSize(size);
    }
}
