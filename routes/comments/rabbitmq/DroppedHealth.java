package comments.rabbitmq;

/**
 * The health check {@code comments/dropped-<queue>}: down while {@code <queue>.dropped} has messages, which the broker moved
 * there since they were delivered too often. A process can't see policies by AMQP, so it looks at the queue.
 *
 * <p>Any number of threads may call it.
 */
public class DroppedHealth extends KeptMessagesHealth {

    /** Watches what the broker drops from a queue. */
    public DroppedHealth(String queue) {
        super("dropped-" + queue, queue + ".dropped", "dropped.messages");
    }

    @Override
    protected String advice() {
        return "The broker delivered messages too often, and moved them to %s. Why do processes end? Then replay them".formatted(queue());
    }
}
