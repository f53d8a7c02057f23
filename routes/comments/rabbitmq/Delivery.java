package comments.rabbitmq;

import com.rabbitmq.client.Channel;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.apache.camel.component.springrabbit.SpringRabbitMQConstants;
import org.springframework.amqp.rabbit.connection.ChannelProxy;

/**
 * What it takes to acknowledge one message: its delivery tag, and the raw channel that the tag belongs to. Camel's
 * exchange holds a proxy, which turns into no channel or another one after a failure, where the tag means another message.
 */
public record Delivery(Channel channel, long tag) {

    /**
     * The delivery of a message that a {@code spring-rabbitmq} consumer just received; empty if its channel is gone already.
     *
     * @throws IllegalArgumentException if the exchange has no message from RabbitMQ
     */
    static Optional<Delivery> of(Exchange exchange) {
        Channel channel = exchange.getProperty(SpringRabbitMQConstants.CHANNEL, Channel.class);
        Long tag = exchange.getMessage().getHeader(SpringRabbitMQConstants.DELIVERY_TAG, Long.class);
        if (channel == null || tag == null) {
            throw new IllegalArgumentException("not a message from RabbitMQ: " + exchange.getExchangeId());
        }
        return Optional.ofNullable(channel instanceof ChannelProxy proxy ? proxy.getTargetChannel() : channel)
                .map(raw -> new Delivery(raw, tag));
    }
}
