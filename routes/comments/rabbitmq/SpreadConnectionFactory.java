package comments.rabbitmq;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.amqp.AmqpException;
import org.springframework.amqp.rabbit.connection.Connection;
import org.springframework.amqp.rabbit.listener.DirectMessageListenerContainer;

/**
 * A connection for messages that are spread over several queues: {@code comments}, {@code comments-2}, {@code comments-3} and so on.
 * A connection that can't have the first queue is not used, as any other. A further queue that can't be had doesn't keep the others
 * from being used.
 *
 * <p>A consumer takes from all queues that are there, also from those beyond its own number: their messages were promised when the
 * number was larger, or by a process that has the larger number already. It looks for them when it starts, and every
 * {@value #LOOK_MINUTES} minutes, because the broker logs each look at a queue that does not exist. The queues of a larger number follow
 * each other, so it looks for the next one only. A change restarts the consumers with shares of what they may hold in all; the broker
 * delivers again what they held, as after a lost connection.
 */
public class SpreadConnectionFactory extends RabbitConnectionFactory {

    /** The largest number of queues. */
    public static final int MAX_QUEUES = 16;

    // Spring logs each connection by the name of this class
    private static final Logger LOG = LoggerFactory.getLogger(ConsumeFurtherQueues.class);
    private static final int LOOK_MINUTES = 5;
    private static final long LOOK_NANOS = TimeUnit.MINUTES.toNanos(LOOK_MINUTES);

    // the refusals by queue
    private final Map<String, String> refused = new ConcurrentHashMap<>();
    private String queue;
    private int number = 1;
    private volatile List<String> consumed = List.of();
    // guarded by this
    private DirectMessageListenerContainer container;
    private int consumers;
    private int prefetch;
    private long looked;

    /** The name of a queue by its number, from 1 on. */
    static String name(String queue, int number) {
        return number == 1 ? queue : queue + "-" + number;
    }

    /** The names of so many queues, after the first one. */
    public static List<String> further(String queue, int number) {
        return IntStream.rangeClosed(2, number).mapToObj(i -> name(queue, i)).toList();
    }

    @Override
    public void setQueue(String queue) {
        super.setQueue(queue);
        this.queue = queue;
    }

    /** How many queues there are. */
    public void setQueues(int number) {
        this.number = number;
        whenConnected(this::declareFurther);
    }

    private void declareFurther(Connection connection) {
        further(queue, number).forEach(further -> declareIfAllowed(connection, further));
    }

    private void declareIfAllowed(Connection connection, String further) {
        try {
            declareFurther(connection, further);
            refused.remove(further);
        } catch (RefusedDeclarationException e) {
            if (!e.getMessage().equals(refused.put(further, e.getMessage()))) {
                LOG.warn("The other queues are used: {}", e.getMessage());
            }
        }
    }

    /** Declares queues again that could not be declared on this connection: they may be mended by now. */
    void declareRefused() {
        refused.keySet().forEach(further -> declareIfAllowed(createConnection(), further));
    }

    /** Why a queue could not be declared; null if it could. One of another kind would lose what it confirms. Any thread may call it. */
    String refusal(String queue) {
        return refused.get(queue);
    }

    /** The names of all queues. */
    List<String> queues() {
        return IntStream.rangeClosed(1, number).mapToObj(i -> name(queue, i)).toList();
    }

    /** How many queues are consumed now; the setting, before it is known which are there. Any thread may call it. */
    public int consumed() {
        List<String> now = consumed;
        return now.isEmpty() ? number : now.size();
    }

    /**
     * Consumes with a container from now on.
     *
     * @param consumers how many consumers there are in all, but at least one for each queue
     * @param prefetch how many messages each of so many may hold; together, all hold no more
     */
    synchronized void consume(DirectMessageListenerContainer container, int consumers, int prefetch) {
        this.container = container;
        this.consumers = consumers;
        this.prefetch = prefetch;
        // until they are found; the first one is always there
        List<String> names = List.of(queue);
        try {
            names = find();
        } catch (AmqpException e) {
            LOG.debug("The broker is away, and is asked later", e);
        }
        use(names);
    }

    /** Consumes what is there now, if it is time to look. Any thread may call it. */
    synchronized void lookAgain() {
        if (container == null || !isUsable() || looked != 0 && System.nanoTime() - looked < LOOK_NANOS) {
            return;
        }
        try {
            List<String> names = find();
            if (!names.equals(consumed) && container.isRunning()) {
                LOG.info("Consumes {} instead of {}", names, consumed);
                container.stop();
                use(names);
                container.start();
            }
        } catch (AmqpException e) {
            LOG.debug("The broker is away, and is asked later", e);
        }
    }

    private void use(List<String> names) {
        consumed = names;
        container.setQueueNames(names.toArray(String[]::new));
        container.setConsumersPerQueue(Prefetch.consumersOfQueue(consumers, names.size()));
        container.setPrefetchCount(Prefetch.perConsumer(prefetch, consumers, names.size()));
    }

    private List<String> find() {
        looked = 0;
        List<String> names = new ArrayList<>(List.of(queue));
        Connection connection = createConnection();
        for (int i = 2; i <= MAX_QUEUES; i++) {
            if (look(connection, name(queue, i)) != null) {
                names.add(name(queue, i));
            } else if (i > number) {
                break;
            }
        }
        looked = System.nanoTime();
        return List.copyOf(names);
    }
}
