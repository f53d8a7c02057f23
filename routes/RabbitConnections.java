package comments;

import com.rabbitmq.client.Channel;
import java.util.Map;
import org.springframework.amqp.rabbit.connection.CachingConnectionFactory;
import org.springframework.amqp.rabbit.connection.Connection;
import org.springframework.amqp.rabbit.support.RabbitExceptionTranslator;

/**
 * A connection to RabbitMQ for one queue and one purpose, such as publishing comments. Each has its own, because the broker
 * blocks whole connections: a full disk must stop what publishes, and not what drains.
 *
 * <p>Nothing is connected before the first use. Each time it connects, it declares its queue: durable, and a quorum queue,
 * which confirms a message when it is on disk. (Camel declares queues only when a route starts, and the YAML DSL would make
 * {@code xQueueType} of the argument's name, which RabbitMQ takes without a word for a classic queue.)
 */
public class RabbitConnections extends CachingConnectionFactory {

    private static final int CONNECT_TIMEOUT_MILLIS = 5_000;
    private static final int RPC_TIMEOUT_MILLIS = 10_000;
    private static final int HEARTBEAT_SECONDS = 10;

    /** Connections that notice within seconds when the broker is gone. */
    public RabbitConnections() {
        getRabbitConnectionFactory().setConnectionTimeout(CONNECT_TIMEOUT_MILLIS);
        getRabbitConnectionFactory().setHandshakeTimeout(CONNECT_TIMEOUT_MILLIS);
        getRabbitConnectionFactory().setChannelRpcTimeout(RPC_TIMEOUT_MILLIS);
        getRabbitConnectionFactory().setRequestedHeartbeat(HEARTBEAT_SECONDS);
    }

    /** The queue that is declared. */
    public void setQueue(String queue) {
        addConnectionListener(connection -> declare(connection, queue));
    }

    private static void declare(Connection connection, String queue) {
        try (Channel channel = connection.createChannel(false)) {
            channel.queueDeclare(queue, true, false, false, Map.of("x-queue-type", "quorum"));
        } catch (Exception e) {
            throw RabbitExceptionTranslator.convertRabbitAccessException(e);
        }
    }

    /** The name that {@code rabbitmqctl list_connections name} shows. */
    public void setName(String name) {
        setConnectionNameStrategy(factory -> name);
    }

    /** Whether every message must be confirmed by a queue: see {@link MandatoryChannel}. Off by default. */
    public void setMandatory(boolean mandatory) {
        setPublisherConfirmType(mandatory ? ConfirmType.SIMPLE : ConfirmType.NONE);
        setPublisherReturns(mandatory);
        if (mandatory) {
            setPublisherChannelFactory(MandatoryChannel::new);
        }
    }
}
