package comments.rabbitmq;

/**
 * How many messages the consumers of a queue may hold. RabbitMQ counts messages, not their bytes, and a consumer has them all
 * in memory: so their number is chosen by the heap.
 */
public final class Prefetch {

    /** The size of the largest messages that are usual, in bytes: COMMENTS_GROUP_BYTES is no larger. */
    public static final int LARGEST_MESSAGE = 4 << 20;

    // more are of no use: the client queues no more for one channel
    private static final int MAX_MESSAGES = 1_000;
    private static final int HEAP_SHARE = 2;
    // A crash may count as a delivery for each consumer, and a broker that has no policy drops a message after 20: see docs/operations.md,
    // Limits of deliveries.
    private static final int MOST_CONSUMERS = 32;

    private Prefetch() {
    }

    /** The number of consumers; 0 means one per core, and no more than 32. */
    public static int consumers(int setting) {
        return setting > 0 ? setting : Math.min(MOST_CONSUMERS, Runtime.getRuntime().availableProcessors());
    }

    /** The messages that each of so many consumers may hold; 0 means as many of the largest as half of the heap holds. */
    public static int perConsumer(int setting, int consumers) {
        return setting > 0 ? setting
                : (int) Math.max(1, Math.min(MAX_MESSAGES, bytes() / LARGEST_MESSAGE / consumers));
    }

    /** How many of the consumers take from each of several queues: all together are as many as set, but each queue has one. */
    public static int consumersOfQueue(int consumers, int queues) {
        return Math.max(1, consumers / queues);
    }

    /**
     * The messages that each consumer of several queues may hold: no more in all than so many consumers of one queue may, but each
     * holds one.
     */
    public static int perConsumer(int setting, int consumers, int queues) {
        return Math.max(1, consumers * perConsumer(setting, consumers) / (consumersOfQueue(consumers, queues) * queues));
    }

    /** The bytes that all messages together may have: half of the heap. */
    public static long bytes() {
        return Runtime.getRuntime().maxMemory() / HEAP_SHARE;
    }
}
