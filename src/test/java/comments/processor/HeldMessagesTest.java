package comments.processor;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.mock;

import com.rabbitmq.client.Channel;
import comments.rabbitmq.Prefetch;
import comments.rabbitmq.SpreadConnectionFactory;
import org.apache.camel.Exchange;
import org.apache.camel.component.springrabbit.SpringRabbitMQConstants;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;

/** How many messages are held, and when those that are held are enough for a batch. */
class HeldMessagesTest {

    private final Channel channel = mock(Channel.class);
    private final DefaultCamelContext context = new DefaultCamelContext();

    private int messagesOfABatch(int consumers, int prefetch) {
        GatherBatch strategy = new GatherBatch();
        strategy.setConsumers(consumers);
        strategy.setPrefetch(prefetch);
        Exchange batch = null;
        for (int tag = 1;; tag++) {
            Exchange message = new DefaultExchange(context);
            message.setProperty(SpringRabbitMQConstants.CHANNEL, channel);
            message.getMessage().setHeader(SpringRabbitMQConstants.DELIVERY_TAG, (long) tag);
            message.getMessage().setBody("{}".getBytes(UTF_8));
            batch = strategy.aggregate(batch, message);
            if (batch.getProperty(Exchange.AGGREGATION_COMPLETE_CURRENT_GROUP, false, Boolean.class)) {
                return tag;
            }
        }
    }

    @Test
    void aBatchIsCompleteAtHalfOfTheMessagesThatMayBeHeld() {
        assertThat(messagesOfABatch(2, 50)).isEqualTo(50);
        assertThat(messagesOfABatch(3, 5)).isEqualTo(7);
        assertThat(messagesOfABatch(1, 1)).isEqualTo(1);
        int consumers = Prefetch.consumers(0);
        assertThat(messagesOfABatch(0, 0)).isEqualTo(Math.max(1, consumers * Prefetch.perConsumer(0, consumers) / 2));
    }

    @Test
    void theLargestMessagesThatMayBeHeldFitIntoHalfOfTheHeap() {
        for (int consumers = 1; consumers <= 16; consumers++) {
            assertThat((long) consumers * Prefetch.perConsumer(0, consumers) * Prefetch.LARGEST_MESSAGE)
                    .isLessThanOrEqualTo(Runtime.getRuntime().maxMemory() / 2);
        }
        assertThat(Prefetch.perConsumer(0, 1_000_000)).isEqualTo(1);
        assertThat(Prefetch.perConsumer(7, 3, 1)).isEqualTo(7);
        assertThat(Prefetch.consumersOfQueue(3, 1)).isEqualTo(3);
        assertThat(Prefetch.perConsumer(7, 3)).isEqualTo(7);
    }

    @Test
    void theConsumersOfSeveralQueuesHoldNoMoreInAllThanThoseOfOne() {
        for (int consumers = 1; consumers <= 16; consumers++) {
            for (int queues = 1; queues <= SpreadConnectionFactory.MAX_QUEUES; queues++) {
                int all = queues * Prefetch.consumersOfQueue(consumers, queues);
                assertThat(all).isBetween(queues, Math.max(consumers, queues));
                for (int prefetch = 1; prefetch <= 64; prefetch++) {
                    assertThat(all * Prefetch.perConsumer(prefetch, consumers, queues)).isBetween(all, Math.max(all, consumers * prefetch));
                }
            }
        }
    }
}
