package comments.rabbitmq;

import com.rabbitmq.client.AMQP.Queue.DeclareOk;
import comments.observe.InformativeHealth;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.amqp.AmqpException;
import org.springframework.amqp.rabbit.connection.Connection;

/**
 * The health check {@code comments/queues} of a process that publishes to several queues: down while one of them is missing or of another
 * kind, does not confirm, or has no consumer although another has: then the consuming processes have a smaller number of queues. It matters neither to
 * readiness nor to liveness: the other queues take what comes now.
 */
public class QueuesHealth extends InformativeHealth implements Processor {

    private static final Logger LOG = LoggerFactory.getLogger(QueuesHealth.class);

    private SpreadConnectionFactory connections;
    private SpreadMessages spread;
    private volatile List<String> problems = List.of();

    public QueuesHealth() {
        super("queues");
    }

    /** The connection whose queues are watched. */
    public void setConnections(SpreadConnectionFactory connections) {
        this.connections = connections;
    }

    /** What publishes to them. */
    public void setSpread(SpreadMessages spread) {
        this.spread = spread;
    }

    /** Looks at the queues, if they are several; called by one thread. While the broker is away, what was seen last stands. */
    @Override
    public void process(Exchange exchange) {
        if (connections.queues().size() == 1 || !connections.isUsable()) {
            return;
        }
        try {
            note(look());
        } catch (AmqpException e) {
            LOG.debug("The broker is away, and is asked later", e);
        }
    }

    private List<String> look() {
        connections.declareRefused();
        List<String> found = new ArrayList<>();
        List<String> idle = new ArrayList<>();
        boolean consumed = false;
        Connection connection = connections.createConnection();
        for (String queue : connections.queues()) {
            DeclareOk state = RabbitConnectionFactory.look(connection, queue);
            String refusal = connections.refusal(queue);
            if (state == null) {
                found.add("the queue " + queue + " is missing");
            } else if (refusal != null) {
                found.add(refusal);
            } else if (state.getConsumerCount() > 0) {
                consumed = true;
            } else {
                idle.add(queue);
            }
        }
        if (consumed && !idle.isEmpty()) {
            found.add("no process consumes " + String.join(", ", idle)
                    + ": is its COMMENTS_QUEUES smaller, or may its user not read the queue?");
        }
        return found;
    }

    private void note(List<String> found) {
        if (!found.isEmpty() && !found.equals(problems)) {
            LOG.warn("Of several queues, {}", String.join("; ", found));
        }
        problems = found;
    }

    @Override
    protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
        List<String> found = new ArrayList<>(problems);
        List<String> failing = spread.failing();
        if (!failing.isEmpty()) {
            found.add("the last message was not confirmed by " + String.join(", ", failing));
        }
        builder.state(found.isEmpty() ? State.UP : State.DOWN);
        if (!found.isEmpty()) {
            builder.message(String.join("; ", found));
        }
    }
}
