package comments.rabbitmq;

import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Looks for queues that are not consumed, and consumes them, too: see {@link SpreadConnectionFactory}. One thread calls it. */
public class ConsumeFurtherQueues implements Processor {

    private SpreadConnectionFactory connections;

    /** The connection that consumes. */
    public void setConnections(SpreadConnectionFactory connections) {
        this.connections = connections;
    }

    @Override
    public void process(Exchange exchange) {
        connections.lookAgain();
    }
}
