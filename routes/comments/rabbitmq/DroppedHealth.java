package comments.rabbitmq;

import com.rabbitmq.client.AMQP.Queue.DeclareOk;
import comments.observe.InformativeHealth;
import java.time.Duration;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.amqp.AmqpException;

/**
 * The health check {@code comments/dropped-<queue>}: down while {@code <queue>.dropped} has messages, which the broker moved
 * there since they were delivered too often, and which must be replayed. It matters neither to readiness nor to liveness: what
 * comes now is processed.
 *
 * <p>A process can't see policies by AMQP, but every user may look at a queue. The broker logs each look at a queue that
 * does not exist, so that is repeated once an hour only.
 */
public class DroppedHealth extends InformativeHealth implements Processor {

    private static final Logger LOG = LoggerFactory.getLogger(DroppedHealth.class);
    private static final long ABSENT_NANOS = Duration.ofHours(1).toNanos();

    private final String queue;
    private RabbitConnectionFactory connections;
    private volatile int messages;
    // used by the thread that looks
    private Long absentSince;

    /** Watches what the broker drops from a queue. */
    public DroppedHealth(String queue) {
        super("dropped-" + queue);
        this.queue = queue + ".dropped";
    }

    /** A connection to the broker. */
    public void setConnections(RabbitConnectionFactory connections) {
        this.connections = connections;
    }

    /** Looks at the queue; called by one thread. While the broker is away, what was seen last stands. */
    @Override
    public void process(Exchange exchange) {
        if (!connections.isUsable() || absentSince != null && System.nanoTime() - absentSince < ABSENT_NANOS) {
            return;
        }
        try {
            DeclareOk found = RabbitConnectionFactory.look(connections.createConnection(), queue);
            absentSince = found == null ? System.nanoTime() : null;
            note(found == null ? 0 : found.getMessageCount());
        } catch (AmqpException e) {
            LOG.debug("The broker is away, and is asked later", e);
        }
    }

    private void note(int found) {
        if (found > 0 && messages == 0) {
            LOG.warn("The broker delivered messages too often, and moved them to {}. Why do processes end? Then replay them", queue);
        }
        messages = found;
    }

    @Override
    protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
        builder.detail("dropped.messages", messages).state(messages == 0 ? State.UP : State.DOWN);
        if (messages > 0) {
            builder.message("The queue %s has messages that must be replayed: %d".formatted(queue, messages));
        }
    }
}
