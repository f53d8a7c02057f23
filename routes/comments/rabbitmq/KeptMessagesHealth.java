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
 * A health check that is down while a queue has messages that are kept for people, who must replay them. It matters neither to
 * readiness nor to liveness: what comes now is processed.
 *
 * <p>The queue itself is asked, so each process knows what another one, or one before a restart, kept there. Every user may look at
 * a queue. The broker logs each look at a queue that does not exist, so that is repeated once an hour only.
 *
 * <p>Any number of threads may call it.
 */
public abstract class KeptMessagesHealth extends InformativeHealth implements Processor {

    private static final Logger LOG = LoggerFactory.getLogger(KeptMessagesHealth.class);
    private static final long ABSENT_NANOS = Duration.ofHours(1).toNanos();

    private final String queue;
    private final String detail;
    private RabbitConnectionFactory connections;
    private volatile int messages;
    private volatile Long absentSince;

    /** Makes the check {@code comments/<id>} of a queue; the detail has the number of its messages. */
    protected KeptMessagesHealth(String id, String queue, String detail) {
        super(id);
        this.queue = queue;
        this.detail = detail;
    }

    /** A connection to the broker. */
    public void setConnections(RabbitConnectionFactory connections) {
        this.connections = connections;
    }

    /** Looks at the queue. While the broker is away, what was seen last stands. */
    @Override
    public void process(Exchange exchange) {
        Long absent = absentSince;
        if (!connections.isUsable() || absent != null && System.nanoTime() - absent < ABSENT_NANOS) {
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
            LOG.warn(advice());
        }
        messages = found;
    }

    /** Notes that this process kept a message there, before it looks again. */
    protected final void kept() {
        absentSince = null;
        messages = Math.max(1, messages);
    }

    /** The name of the queue. */
    protected final String queue() {
        return queue;
    }

    /** What to log when the first messages are found in the queue. */
    protected abstract String advice();

    /** What to say while the queue has messages. */
    protected String message() {
        return "The queue %s has messages that must be replayed: %d".formatted(queue, messages);
    }

    @Override
    protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
        int kept = messages;
        builder.detail(detail, kept).state(kept == 0 ? State.UP : State.DOWN);
        if (kept > 0) {
            builder.message(message());
        }
    }
}
