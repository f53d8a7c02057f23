package comments.rabbitmq;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Return;
import java.io.IOException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.springframework.amqp.AmqpException;
import org.springframework.amqp.rabbit.connection.PublisherCallbackChannelImpl;

/**
 * A channel on which a confirm means that a queue has the message. RabbitMQ also confirms a message that no queue takes, after
 * returning it if it is mandatory; camel-spring-rabbitmq never makes it so. Here every message is mandatory, and waiting for
 * the confirm of a returned message fails.
 *
 * <p>RabbitMQ refuses a message with a negative acknowledgement when the queue is full. The client (5.22) can lose it between
 * two threads: {@code ChannelN.handleAckNack} removes the tag before it notes the refusal, and {@code waitForConfirms} in
 * between returns true. So a listener, which the client calls before, notes refusals here. A channel with a refusal is not used
 * again: RabbitMQ 3.10 keeps refusing on it after the limit of the queue is lifted.
 *
 * <p>The broker sends the return before the confirm (RabbitMQ's "Consumer Acknowledgements and Publisher Confirms"), and
 * one thread of the client reads both in order, so the wait ends after the return is known.
 *
 * <p>One thread at a time publishes and waits, as Spring's {@code RabbitTemplate.invoke} does.
 */
public class MandatoryChannel extends PublisherCallbackChannelImpl {

    private final ExecutorService closer;
    private final BooleanSupplier usable;
    private volatile Return returned;
    private volatile boolean refused;
    private volatile boolean abandoned;

    /**
     * Wraps a channel.
     *
     * @param usable whether the broker takes messages now; while it doesn't, publishing fails at once instead of hanging
     */
    public MandatoryChannel(Channel channel, ExecutorService closer, BooleanSupplier usable) {
        super(channel, closer);
        this.closer = closer;
        this.usable = usable;
        channel.addReturnListener(message -> returned = message);
        channel.addConfirmListener((tag, multiple) -> { }, (tag, multiple) -> refused = true);
    }

    @Override
    public void basicPublish(String exchange, String routingKey, boolean mandatory, BasicProperties properties,
            byte[] body) throws IOException {
        if (!usable.getAsBoolean()) {
            throw new AmqpException("The broker is away, or blocks the connection");
        }
        super.basicPublish(exchange, routingKey, true, properties, body);
    }

    /**
     * Waits for the confirms of all that was published on this channel.
     *
     * @return false if the broker refused a message
     * @throws AmqpException if no queue took a message
     * @throws TimeoutException if the confirms aren't here in time; the channel isn't used again then, unless the broker
     *     blocks it: the next wait is also for the confirms that are still missing
     */
    @Override
    public boolean waitForConfirms(long timeoutMillis) throws InterruptedException, TimeoutException {
        try {
            boolean confirmed = super.waitForConfirms(timeoutMillis);
            Return message = returned;
            if (message != null) {
                returned = null;
                throw new AmqpException("No queue took the message for '%s': %d %s".formatted(
                        message.getRoutingKey(), message.getReplyCode(), message.getReplyText()));
            }
            if (refused) {
                abandon();
            }
            return confirmed && !refused;
        } catch (TimeoutException e) {
            // while the broker blocks the connection, opening another channel would hang, too
            if (usable.getAsBoolean()) {
                abandon();
            }
            throw e;
        }
    }

    /** Spring's own handling of a return would look for headers that it adds to each message, and we don't. */
    @Override
    public void handle(Return message) {
        // noted by our own listener
    }

    private void abandon() {
        abandoned = true;
        // closing waits for the broker, which may not answer
        closer.execute(() -> {
            try {
                abort();
            } catch (IOException | RuntimeException e) {
                // it ends with its connection
            }
        });
    }

    @Override
    public boolean isOpen() {
        return !abandoned && super.isOpen();
    }
}
