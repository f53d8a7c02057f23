package comments;

import org.springframework.amqp.rabbit.connection.CachingConnectionFactory;

/**
 * Connections to RabbitMQ for one purpose, such as publishing comments. A purpose has a connection of its own, because
 * the broker blocks whole connections: a full disk must stop what publishes, and not what drains.
 *
 * <p>Nothing is connected before the first use.
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
