package comments.rabbitmq;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.AMQP.Queue.DeclareOk;
import com.rabbitmq.client.BlockedListener;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.amqp.AmqpException;
import org.springframework.amqp.rabbit.connection.CachingConnectionFactory;
import org.springframework.amqp.rabbit.connection.Connection;
import org.springframework.amqp.rabbit.connection.ConnectionListener;
import org.springframework.amqp.rabbit.support.RabbitExceptionTranslator;

/**
 * A connection to RabbitMQ for one queue and one purpose, such as publishing comments. Each has its own, because the broker
 * blocks whole connections: a full disk must stop publishing, but not consuming.
 *
 * <p>It connects at the first use. Each time it connects, it declares its queue: durable, and a quorum queue, which confirms a
 * message when it is on disk. (Camel declares queues only when a route starts, and the YAML DSL turns the argument's name into
 * {@code xQueueType}, which RabbitMQ ignores: the queue would be a classic one.) A connection on which that fails is not used.
 *
 * <p>A lost connection has one thread that connects again. All methods may be called by any thread.
 */
public class RabbitConnectionFactory extends CachingConnectionFactory {

    // Spring logs each connection by the name of the class
    private static final Logger LOG = LoggerFactory.getLogger("comments.rabbitmq");
    private static final int CONNECT_TIMEOUT_MILLIS = 5_000;
    private static final int RPC_TIMEOUT_MILLIS = 10_000;
    private static final int HEARTBEAT_SECONDS = 10;
    private static final int RECONNECT_MILLIS = 1_000;
    private static final String QUORUM = "a durable quorum queue";

    // Without an executor, the client flushes a dead connection before it closes it, and waits for the thread that hangs in the
    // write: https://github.com/rabbitmq/rabbitmq-java-client/issues/194
    private static final ExecutorService SHUTDOWN = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "rabbitmq-shutdown");
        thread.setDaemon(true);
        return thread;
    });

    private final List<Runnable> whenBlocked = new CopyOnWriteArrayList<>();
    private final List<Consumer<Connection>> declarations = new CopyOnWriteArrayList<>();
    private final Object reconnecting = new Object();
    private List<String> nodes = List.of();
    private String purpose;
    private String queue;
    private volatile boolean blocked;
    private volatile boolean away;
    private volatile boolean closed;
    // under the lock of "reconnecting"
    private boolean connected;
    private String refusal;
    private Thread reconnector;

    /** A connection that notices within seconds when the broker is gone. */
    public RabbitConnectionFactory() {
        this(new ConnectionFactory());
    }

    public RabbitConnectionFactory(ConnectionFactory factory) {
        super(withoutRecovery(factory));
        getRabbitConnectionFactory().setConnectionTimeout(CONNECT_TIMEOUT_MILLIS);
        getRabbitConnectionFactory().setHandshakeTimeout(CONNECT_TIMEOUT_MILLIS);
        getRabbitConnectionFactory().setChannelRpcTimeout(RPC_TIMEOUT_MILLIS);
        getRabbitConnectionFactory().setRequestedHeartbeat(HEARTBEAT_SECONDS);
        getRabbitConnectionFactory().setShutdownExecutor(SHUTDOWN);
        addConnectionListener(new Watch());
    }

    // Spring connects again.
    private static ConnectionFactory withoutRecovery(ConnectionFactory factory) {
        factory.setAutomaticRecoveryEnabled(false);
        return factory;
    }

    /** Notes what becomes of the connection, and declares what is needed on a new one. */
    private final class Watch implements ConnectionListener, BlockedListener {

        @Override
        public void onCreate(Connection connection) {
            blocked = false;
            connection.addBlockedListener(this);
            try {
                declarations.forEach(declaration -> declaration.accept(connection));
            } catch (RuntimeException e) {
                connection.getDelegate().abort(CONNECT_TIMEOUT_MILLIS);
                lost(e instanceof RefusedDeclarationException ? e.getMessage() : null);
                throw e;
            }
            found(connection);
        }

        @Override
        public void handleBlocked(String reason) {
            LOG.warn("RabbitMQ blocks publishing to {}: {}. Free disk or memory, or start consumers", queue, reason);
            blocked = true;
            whenBlocked.forEach(Runnable::run);
        }

        @Override
        public void handleUnblocked() {
            LOG.info("RabbitMQ allows publishing to {} again", queue);
            blocked = false;
        }

        @Override
        public void onShutDown(ShutdownSignalException signal) {
            if (!signal.isInitiatedByApplication()) {
                lost(null);
            }
        }

        @Override
        public void onFailed(Exception exception) {
            lost(null);
        }
    }

    private void found(Connection connection) {
        synchronized (reconnecting) {
            // it may have been lost since, and its loss reported
            if (!connection.isOpen()) {
                return;
            }
            if (away) {
                LOG.info("RabbitMQ is back for {}", purpose);
            }
            away = false;
            refusal = null;
            connected = true;
        }
    }

    /**
     * Starts to connect again, unless that is under way: a client that asks {@link #isUsable} before it publishes would
     * otherwise never connect.
     *
     * @param refused why the broker can't be used although it is there, or null
     */
    private void lost(String refused) {
        synchronized (reconnecting) {
            if (closed) {
                return;
            }
            if (refused != null && !refused.equals(refusal)) {
                LOG.warn("RabbitMQ can't be used for {}: {}. It is tried again every {} ms", purpose, refused, RECONNECT_MILLIS);
                refusal = refused;
            } else if (!away && connected) {
                LOG.warn("RabbitMQ is away for {}. Is it up at {}? It is tried again every {} ms", purpose,
                        String.join(",", nodes), RECONNECT_MILLIS);
            }
            away = true;
            // A thread that an Error has ended is replaced.
            if (reconnector == null || !reconnector.isAlive()) {
                reconnector = new Thread(this::reconnect, "reconnect " + getHost());
                reconnector.setDaemon(true);
                reconnector.start();
            }
        }
    }

    private void reconnect() {
        while (mustReconnect()) {
            try {
                Thread.sleep(RECONNECT_MILLIS);
                // the end of an old connection may be reported after the new one is there
                found(createConnection());
            } catch (InterruptedException e) {
                // only a JVM that ends interrupts this thread
                Thread.currentThread().interrupt();
                return;
            } catch (RuntimeException e) {
                LOG.debug("The broker can't be used yet", e);
            } catch (Error e) {
                LOG.error("Connecting again failed, and is tried again", e);
            }
        }
    }

    // The thread ends under the lock, so that a loss afterwards finds no thread and starts one.
    private boolean mustReconnect() {
        synchronized (reconnecting) {
            if (away && !closed) {
                return true;
            }
            reconnector = null;
            return false;
        }
    }

    /** Whether the connection is there, was never needed, or has a thread that connects again. */
    boolean isAttended() {
        synchronized (reconnecting) {
            return !away || closed || reconnector != null && reconnector.isAlive();
        }
    }

    /** Whether messages can be published now: the broker was there at the last use, and doesn't block the connection. */
    public boolean isUsable() {
        return !away && !blocked;
    }

    /** The nodes of the broker, each as {@code host:port}. */
    public List<String> nodes() {
        return nodes;
    }

    /** What the connection is for: the name that was set. */
    String getPurpose() {
        return purpose;
    }

    /** Runs an action when the broker blocks the connection, on a thread of the client. */
    public void whenBlocked(Runnable action) {
        whenBlocked.add(action);
    }

    /**
     * Connects once, declares what was set, and closes the connection for good.
     *
     * @throws RefusedDeclarationException if the broker refuses what is declared
     * @throws AmqpException if there is no connection
     */
    public void probe() {
        closed = true;
        try {
            createConnection();
        } finally {
            destroy();
        }
    }

    /** Closes the connection for good. */
    public void close() {
        closed = true;
        destroy();
    }

    /**
     * Where the broker is: see {@link BrokerAddress}. In a cluster, each connection takes a node at random, and another node if
     * that one is away. With {@code amqps}, a node's certificate must be from an authority that the JVM trusts, and for its host:
     * the client's own default accepts every certificate.
     */
    @Override
    public void setUri(String uri) {
        BrokerAddress address = BrokerAddress.of(uri);
        super.setUri(address.uri());
        nodes = address.nodes();
        if (nodes.size() > 1) {
            setAddresses(nodes);
            setAddressShuffleMode(AddressShuffleMode.RANDOM);
        }
        if (address.tls()) {
            try {
                getRabbitConnectionFactory().useSslProtocol(SSLContext.getDefault());
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("the trust store of the JVM can't be used", e);
            }
            getRabbitConnectionFactory().enableHostnameVerification();
        }
    }

    /** The queue that is declared. */
    public void setQueue(String queue) {
        this.queue = queue;
        whenConnected(connection -> declare(connection, queue));
    }

    /** Queues that are declared, too: see {@link #declareFurther}. */
    public void setFurtherQueues(List<String> queues) {
        queues.forEach(further -> whenConnected(connection -> declareFurther(connection, further)));
    }

    /**
     * Declares a queue of which there are several, so that a cluster spreads their leaders: by default, the leader is on the node of the
     * connection that declares it, for all queues of one process on the same node.
     *
     * @throws RefusedDeclarationException if it can neither be declared nor found
     * @throws AmqpException if the connection broke
     */
    final void declareFurther(Connection connection, String queue) {
        try {
            declareOrFind(connection, "queue " + queue, QUORUM, channel -> channel.queueDeclare(queue, true, false, false,
                    Map.of("x-queue-type", "quorum", "x-queue-leader-locator", "balanced")), channel -> channel.queueDeclarePassive(queue));
        } catch (RefusedDeclarationException e) {
            // it may be declared by hand, without the locator
            declare(connection, queue);
        }
    }

    /** Something to do on a channel. */
    public interface OnChannel {
        void run(Channel channel) throws IOException;
    }

    /** Adds a declaration, which is made each time that this connects. */
    final void whenConnected(Consumer<Connection> declaration) {
        declarations.add(declaration);
    }

    private void declare(Connection connection, String queue) {
        declareOrFind(connection, "queue " + queue, QUORUM, channel -> channel.queueDeclare(queue, true, false, false, Map.of("x-queue-type", "quorum")),
                channel -> channel.queueDeclarePassive(queue));
    }

    /**
     * Declares something, or finds that it is there, for a user that may only publish or consume.
     *
     * @throws RefusedDeclarationException if neither is possible
     * @throws AmqpException if the connection broke
     */
    final void declareOrFind(Connection connection, String what, String right, OnChannel declare, OnChannel find) {
        try {
            try {
                on(connection, declare);
            } catch (RuntimeException e) {
                RefusedDeclarationException.Refusal refusal = RefusedDeclarationException.refusal(e);
                if (refusal == null || refusal.code() != AMQP.ACCESS_REFUSED) {
                    throw e;
                }
                on(connection, find);
            }
        } catch (RuntimeException e) {
            throw RefusedDeclarationException.of(e, what, right, nodes);
        }
    }

    /**
     * Looks at a queue, which every user may. The broker logs a look at a queue that does not exist.
     *
     * @return its number of messages and of consumers; null if there is no such queue
     * @throws AmqpException if the connection broke, or the broker refuses it for another reason
     */
    public static DeclareOk look(Connection connection, String queue) {
        List<DeclareOk> found = new ArrayList<>();
        try {
            on(connection, channel -> found.add(channel.queueDeclarePassive(queue)));
            return found.get(0);
        } catch (AmqpException e) {
            RefusedDeclarationException.Refusal refusal = RefusedDeclarationException.refusal(e);
            if (refusal != null && refusal.code() == AMQP.NOT_FOUND) {
                return null;
            }
            throw e;
        }
    }

    /** Runs something on a channel of its own; throws {@link AmqpException}. */
    public static void on(Connection connection, OnChannel action) {
        // not one of Spring's channels: it would log that the broker closes the channel, which is no error here
        try (Channel channel = connection.getDelegate().createChannel()) {
            action.run(channel);
        } catch (Exception e) {
            throw RabbitExceptionTranslator.convertRabbitAccessException(e);
        }
    }

    /** The name that {@code rabbitmqctl list_connections name} shows. */
    public void setName(String name) {
        purpose = name;
        setConnectionNameStrategy(factory -> name);
    }

    /** Whether every message must be confirmed by a queue: see {@link MandatoryChannel}. Off by default. */
    public void setMandatory(boolean mandatory) {
        setPublisherConfirmType(mandatory ? ConfirmType.SIMPLE : ConfirmType.NONE);
        setPublisherReturns(mandatory);
        if (mandatory) {
            setPublisherChannelFactory((channel, closer) -> new MandatoryChannel(channel, closer, this::isUsable));
        }
    }
}
