package comments.processor;

import comments.model.Comment;
import comments.observe.Traces;
import comments.rabbitmq.AcknowledgeInOrder;
import comments.rabbitmq.Prefetch;
import comments.rabbitmq.SpreadConnectionFactory;
import org.apache.camel.AggregationStrategy;
import org.apache.camel.Exchange;
import org.apache.camel.Message;

/**
 * Gathers messages of comments into one {@link CommentBatch}. The aggregator calls it under its lock; it never throws,
 * because an exception here would leave the message neither written nor acknowledged.
 */
public class GatherBatch implements AggregationStrategy {

    // a group and a batch have no more: see the settings
    private static final int MAX_COUNT = 100_000;

    private int consumers;
    private int prefetch;
    private SpreadConnectionFactory connections;
    private boolean pushImports;
    private Traces traces;

    /** How many consumers there are: see {@link Prefetch}. */
    public void setConsumers(int consumers) {
        this.consumers = consumers;
    }

    /** How many messages each of them may hold: see {@link Prefetch}. */
    public void setPrefetch(int prefetch) {
        this.prefetch = prefetch;
    }

    /** What consumes, if its messages come from several queues. */
    public void setConnections(SpreadConnectionFactory connections) {
        this.connections = connections;
    }

    /** Whether imported comments are pushed. By default they are only written. */
    public void setPushImports(boolean pushImports) {
        this.pushImports = pushImports;
    }

    /** What follows the comments, if anything does. */
    public void setTraces(Traces traces) {
        this.traces = traces.ifEnabled();
    }

    @Override
    public Exchange aggregate(Exchange batched, Exchange received) {
        Message message = received.getMessage();
        Exchange exchange = batched == null ? received : batched;
        CommentBatch batch = batched == null ? new CommentBatch(pushImports) : batched.getMessage().getBody(CommentBatch.class);
        batch.add(AcknowledgeInOrder.deliveries(received), message.getBody(byte[].class), count(message));
        if (traces != null) {
            Traces.gather(message, batch.requests());
        }
        if (batched == null) {
            exchange.getMessage().setBody(batch);
            exchange.setProperty(CommentBatch.PROPERTY, batch);
            exchange.setProperty(AcknowledgeInOrder.DELIVERIES, batch.deliveries());
        }
        if (batch.deliveries().size() >= halfOfWhatIsHeld()) {
            exchange.setProperty(Exchange.AGGREGATION_COMPLETE_CURRENT_GROUP, true);
        }
        return exchange;
    }

    // While one half is written, the other half is gathered: no batch waits for messages that the broker holds back. One of several queues
    // may have all messages.
    private int halfOfWhatIsHeld() {
        int number = Prefetch.consumers(consumers);
        int queues = connections == null ? 1 : connections.consumed();
        return Math.max(1, Prefetch.consumersOfQueue(number, queues) * Prefetch.perConsumer(prefetch, number, queues) / 2);
    }

    // A foreign producer may leave the header out, or put anything there: the sum must not overflow.
    private static int count(Message message) {
        return message.getHeader(Comment.COUNT_HEADER) instanceof Number count && count.intValue() > 0
                ? Math.min(count.intValue(), MAX_COUNT) : 1;
    }
}
