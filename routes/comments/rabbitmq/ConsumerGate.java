package comments.rabbitmq;

import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.Exchange;
import org.apache.camel.Route;
import org.apache.camel.support.RoutePolicySupport;

/**
 * Knows whether a route that consumes from RabbitMQ has a message in it, and takes no more once it is shut: for a process
 * that must finish what it has begun, and begin nothing, before its channels close. What comes after that is not
 * acknowledged, so the broker gives it to another process.
 *
 * <p>Threads of the client call it, one for each channel at a time.
 */
public class ConsumerGate extends RoutePolicySupport {

    private final AtomicInteger messages = new AtomicInteger();
    private volatile boolean shut;

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
        // counted first, so that whoever shuts this and finds it empty knows that nothing slipped through in between
        messages.incrementAndGet();
        if (shut) {
            exchange.setRouteStop(true);
        }
    }

    @Override
    public void onExchangeDone(Route route, Exchange exchange) {
        messages.decrementAndGet();
    }
}
