package comments.rabbitmq;

import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.Exchange;
import org.apache.camel.Route;
import org.apache.camel.support.RoutePolicySupport;

/**
 * The entrance of a route that consumes from RabbitMQ. It counts the messages in the route, and takes no more once it is
 * shut: a process must finish what it has begun, and begin nothing, before its channels close. A message that comes later is
 * not acknowledged, so the broker gives it to another process.
 *
 * <p>It also keeps the delivery of each message on receipt: after a failure, Camel's exchange no longer leads to the channel.
 *
 * <p>Threads of the client call it, one for each channel at a time, in the order of the deliveries.
 */
public class ConsumerGate extends RoutePolicySupport {

    private final AtomicInteger messages = new AtomicInteger();
    private AcknowledgeInOrder acknowledge;
    private volatile boolean shut;

    /** What will acknowledge the messages. It notes each message that comes in, also of one that fails in the route. */
    public void setAcknowledge(AcknowledgeInOrder acknowledge) {
        this.acknowledge = acknowledge;
    }

    /** Takes no message any more. */
    public void shut() {
        shut = true;
    }

    /** Whether no message is on its way through the route. Once this is so after {@link #shut}, none will be. */
    public boolean isEmpty() {
        return messages.get() == 0;
    }

    @Override
    public void onExchangeBegin(Route route, Exchange exchange) {
        // counted first, so that an empty gate that is shut stays empty
        messages.incrementAndGet();
        if (shut) {
            exchange.setRouteStop(true);
        } else if (acknowledge != null) {
            acknowledge.received(exchange);
        }
    }

    @Override
    public void onExchangeDone(Route route, Exchange exchange) {
        messages.decrementAndGet();
    }
}
