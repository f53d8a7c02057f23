package comments.rabbitmq;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.AlreadyClosedException;
import com.rabbitmq.client.Channel;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.WeakHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Acknowledges the messages of a settled batch, or the one message that the exchange came from.
 *
 * <p>Batches may be settled in any order and by any thread. On each channel only the unbroken run of settled delivery
 * tags is acknowledged, from the lowest on, with one multiple-acknowledgement: a message that isn't settled is never
 * acknowledged, and no tag twice. When a channel closes, the broker delivers again what isn't acknowledged; a late
 * acknowledgement on that channel does nothing.
 *
 * <p>All messages of a channel must pass through one instance.
 */
public class AcknowledgeInOrder implements Processor {

    /**
     * The exchange property that holds the deliveries to acknowledge, as a {@code List<Delivery>}. {@link ConsumerGate} sets it
     * on receipt; a batch has those of all its messages. It is empty if the channel was gone at once: then there is nothing to
     * acknowledge, and the broker delivers the message again.
     */
    public static final String DELIVERIES = "deliveries";

    private static final Logger LOG = LoggerFactory.getLogger(AcknowledgeInOrder.class);

    // Weak, so that a channel that is gone takes its window with it.
    private final Map<Channel, AcknowledgementWindow> windows = new WeakHashMap<>();

    /** Notes that a message is here, and keeps its delivery; called in the order of the channel's deliveries. */
    void received(Exchange exchange) {
        List<Delivery> deliveries = Delivery.of(exchange).stream().toList();
        deliveries.forEach(this::received);
        exchange.setProperty(DELIVERIES, deliveries);
    }

    /** Notes that a message is here; called in the order of the channel's deliveries. */
    void received(Delivery delivery) {
        AcknowledgementWindow window = window(delivery.channel());
        synchronized (window) {
            window.received(System.nanoTime());
        }
    }

    @Override
    public void process(Exchange exchange) throws IOException {
        settle(deliveries(exchange));
    }

    /** What it takes to acknowledge the messages of an exchange. */
    @SuppressWarnings("unchecked")
    public static List<Delivery> deliveries(Exchange exchange) {
        List<Delivery> deliveries = exchange.getProperty(DELIVERIES, List.class);
        return deliveries == null ? Delivery.of(exchange).stream().toList() : deliveries;
    }

    /**
     * Settles deliveries, and acknowledges what that completes.
     *
     * @throws IOException if the connection broke just now; the broker will deliver the messages again
     */
    void settle(List<Delivery> deliveries) throws IOException {
        var byChannel = deliveries.stream().collect(Collectors.groupingBy(Delivery::channel));
        for (var settled : byChannel.entrySet()) {
            settle(settled.getKey(), settled.getValue());
        }
    }

    private void settle(Channel channel, List<Delivery> deliveries) throws IOException {
        AcknowledgementWindow window = window(channel);
        // Acknowledging under the lock keeps the tags of a channel rising: RabbitMQ closes it for a tag that was acknowledged before.
        synchronized (window) {
            deliveries.forEach(delivery -> window.settle(delivery.tag()));
            long upTo = window.advance();
            if (upTo == 0) {
                return;
            }
            try {
                channel.basicAck(upTo, true);
            } catch (AlreadyClosedException e) {
                LOG.info("{} settled messages can't be acknowledged, because their channel is closed:"
                        + " the broker delivers them again.", deliveries.size());
            }
        }
    }

    /**
     * Acknowledges the message of an exchange now, whether those before it are settled or not.
     *
     * @throws IOException if the connection broke just now; the broker will deliver the message again
     */
    public void settleAlone(Exchange exchange) throws IOException {
        for (Delivery delivery : deliveries(exchange)) {
            AcknowledgementWindow window = window(delivery.channel());
            synchronized (window) {
                if (delivery.channel().isOpen() && window.settleAlone(delivery.tag())) {
                    delivery.channel().basicAck(delivery.tag(), false);
                }
            }
            settle(delivery.channel(), List.of());
        }
    }

    /**
     * Gives all messages that are not acknowledged back to the broker: it delivers them again, here or to another process. Their channels
     * are closed, which the consumers notice within seconds. What is settled later on such a channel is not acknowledged.
     *
     * @throws IOException if one can't be closed; it is to be called again then
     */
    public void giveBack() throws IOException {
        List<Channel> channels;
        synchronized (windows) {
            channels = windows.keySet().stream().filter(Channel::isOpen).toList();
        }
        for (Channel channel : channels) {
            if (unsettled(channel)) {
                channel.abort(AMQP.REPLY_SUCCESS, "not all of its messages can be settled");
            }
        }
    }

    private boolean unsettled(Channel channel) {
        AcknowledgementWindow window = window(channel);
        synchronized (window) {
            return window.size() > 0;
        }
    }

    private AcknowledgementWindow window(Channel channel) {
        synchronized (windows) {
            return windows.computeIfAbsent(channel, key -> new AcknowledgementWindow());
        }
    }

    /** How many messages were received and are not acknowledged. */
    public int unsettled() {
        return ofOpenChannels(AcknowledgementWindow::size).mapToInt(Integer::intValue).sum();
    }

    /** How long the oldest of them has been waiting; zero if there is none. */
    public Duration oldestUnsettled() {
        long now = System.nanoTime();
        return ofOpenChannels(AcknowledgementWindow::oldestNanos).filter(Objects::nonNull)
                .map(received -> Duration.ofNanos(now - received)).max(Duration::compareTo).orElse(Duration.ZERO);
    }

    private <T> Stream<T> ofOpenChannels(Function<AcknowledgementWindow, T> question) {
        List<AcknowledgementWindow> open;
        synchronized (windows) {
            open = windows.entrySet().stream().filter(entry -> entry.getKey().isOpen()).map(Map.Entry::getValue).toList();
        }
        return open.stream().map(window -> {
            synchronized (window) {
                return question.apply(window);
            }
        });
    }
}
