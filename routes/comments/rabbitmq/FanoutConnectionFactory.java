package comments.rabbitmq;

import com.rabbitmq.client.BuiltinExchangeType;
import java.util.Map;
import java.util.UUID;
import org.springframework.amqp.rabbit.connection.Connection;

/**
 * A connection to RabbitMQ for live messages: each current subscriber gets a message, and none is kept for later. No promise
 * depends on it, so it is no part of {@link BrokerHealth}.
 *
 * <p>Each time it connects, it declares a fanout exchange, and if it is for listening, a queue that is bound to it and belongs
 * to this connection alone. When that queue is full, the broker drops the oldest messages.
 */
public class FanoutConnectionFactory extends RabbitConnectionFactory {

    private static final int MAX_MESSAGES = 100;
    private static final int MAX_BYTES = 64 << 20;

    private String exchange;
    private String ownQueue;

    /** The exchange that is declared. */
    public void setExchange(String exchange) {
        this.exchange = exchange;
        whenConnected(connection -> {
            declareOrFind(connection, "exchange " + exchange, "a durable fanout exchange",
                    channel -> channel.exchangeDeclare(exchange, BuiltinExchangeType.FANOUT, true),
                    channel -> channel.exchangeDeclarePassive(exchange));
            if (ownQueue != null) {
                declareOwnQueue(connection);
            }
        });
    }

    /** Whether it has a queue of its own, which gets what is published to the exchange. */
    public void setListening(boolean listening) {
        ownQueue = listening ? "comment-stream." + UUID.randomUUID() : null;
    }

    /** The name of its own queue. */
    public String getQueue() {
        return ownQueue;
    }

    /** Runs an action each time that this is connected: messages may have been missed before, also before the first time. */
    public void whenListening(Runnable action) {
        addConnectionListener(connection -> action.run());
    }

    private void declareOwnQueue(Connection connection) {
        on(connection, channel -> {
            channel.queueDeclare(ownQueue, false, true, false,
                    Map.of("x-max-length", MAX_MESSAGES, "x-max-length-bytes", MAX_BYTES, "x-overflow", "drop-head"));
            channel.queueBind(ownQueue, exchange, "");
        });
    }
}
