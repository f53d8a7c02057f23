package comments.processor;

import comments.model.Comment;
import comments.observe.Traces;
import comments.rabbitmq.AcknowledgeInOrder;
import org.apache.camel.AggregationStrategy;
import org.apache.camel.Exchange;
import org.apache.camel.Message;

/**
 * Gathers messages of comments into one {@link CommentBatch}. The aggregator calls it under its lock; it never throws,
 * because an exception here would leave the message neither written nor acknowledged.
 */
public class GatherBatch implements AggregationStrategy {

    private Traces traces;

    /** What follows the comments, if anything does. */
    public void setTraces(Traces traces) {
        this.traces = traces.ifEnabled();
    }

    @Override
    public Exchange aggregate(Exchange batched, Exchange received) {
        Message message = received.getMessage();
        Exchange exchange = batched == null ? received : batched;
        CommentBatch batch = batched == null ? new CommentBatch() : batched.getMessage().getBody(CommentBatch.class);
        batch.add(AcknowledgeInOrder.deliveries(received), message.getBody(byte[].class), count(message));
        if (traces != null) {
            Traces.gather(message, batch.requests());
        }
        if (batched == null) {
            exchange.getMessage().setBody(batch);
            exchange.setProperty(CommentBatch.PROPERTY, batch);
            exchange.setProperty(AcknowledgeInOrder.DELIVERIES, batch.deliveries());
        }
        return exchange;
    }

    // A foreign producer may leave the header out, or put anything there.
    private static int count(Message message) {
        return message.getHeader(Comment.COUNT_HEADER) instanceof Number count && count.intValue() > 0 ? count.intValue() : 1;
    }
}
