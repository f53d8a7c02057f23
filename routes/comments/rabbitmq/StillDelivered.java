package comments.rabbitmq;

import org.apache.camel.Exchange;
import org.apache.camel.Predicate;

/**
 * Whether a message of an exchange can still be acknowledged, since its channel is open. When all channels are closed, the
 * broker delivers the messages again, here or to another process: the exchange is abandoned, and trying it again would only
 * repeat what is done with the new deliveries. RabbitMQ closes a channel that holds a message for longer than its
 * {@code consumer_timeout}.
 *
 * <p>Any number of threads may call it.
 */
public class StillDelivered implements Predicate {

    @Override
    public boolean matches(Exchange exchange) {
        return AcknowledgeInOrder.deliveries(exchange).stream()
                .anyMatch(delivery -> delivery.channel().getCloseReason() == null);
    }

    /** The contrary. */
    public boolean isAbandoned(Exchange exchange) {
        return !matches(exchange);
    }
}
