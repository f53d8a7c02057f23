package comments.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.component.springrabbit.SpringRabbitMQConstants;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.spi.Synchronization;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which queue a message goes to, when there are several. */
class SpreadMessagesTest {

    private final DefaultCamelContext context = new DefaultCamelContext();
    private final SpreadConnectionFactory connections = new SpreadConnectionFactory();
    private final SpreadMessages spread = new SpreadMessages();

    @BeforeEach
    void threeQueues() {
        use(3);
    }

    private void use(int queues) {
        connections.setQueue("comments");
        connections.setQueues(queues);
        spread.setConnections(connections);
    }

    @AfterEach
    void close() throws IOException {
        connections.close();
        context.close();
    }

    private Exchange send() {
        Exchange exchange = new DefaultExchange(context);
        spread.process(exchange);
        return exchange;
    }

    private static String queue(Exchange exchange) {
        return exchange.getMessage().getHeader(SpringRabbitMQConstants.ROUTING_OVERRIDE_KEY, String.class);
    }

    private static void done(Exchange exchange, boolean failed) {
        for (Synchronization each : exchange.getExchangeExtension().handoverCompletions()) {
            if (failed) {
                each.onFailure(exchange);
            } else {
                each.onComplete(exchange);
            }
        }
    }

    @Test
    void messagesGoToEachQueueInTurn() {
        List<String> used = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            Exchange message = send();
            used.add(queue(message));
            done(message, false);
        }
        assertThat(used).containsExactly("comments", "comments-2", "comments-3", "comments", "comments-2", "comments-3");
    }

    @Test
    void aQueueThatCouldNotBeDeclaredGetsNone() {
        SpreadConnectionFactory refusing = mock(SpreadConnectionFactory.class);
        when(refusing.queues()).thenReturn(List.of("comments", "comments-2", "comments-3"));
        when(refusing.refusal("comments-2")).thenReturn("of another kind", "of another kind", "of another kind", "of another kind", null);
        spread.setConnections(refusing);
        List<String> used = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            Exchange message = send();
            used.add(queue(message));
            done(message, false);
        }
        assertThat(used).startsWith("comments", "comments-3", "comments", "comments-3").endsWith("comments", "comments-2", "comments-3");
    }

    @Test
    void aSlowQueueGetsNoSecondMessageWhileAnotherIsIdle() {
        Exchange slow = send();
        assertThat(queue(slow)).isEqualTo("comments");
        for (int i = 0; i < 10; i++) {
            Exchange message = send();
            assertThat(queue(message)).isNotEqualTo("comments");
            done(message, false);
        }
    }

    @Test
    void aQueueThatFailedGetsNoneForAWhileUnlessAllFailed() {
        Exchange failed = send();
        done(failed, true);
        assertThat(spread.failing()).containsExactly("comments");
        List<Exchange> others = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            others.add(send());
        }
        assertThat(others).extracting(SpreadMessagesTest::queue).containsOnly("comments-2", "comments-3");
        others.forEach(message -> done(message, true));
        assertThat(List.of(send(), send(), send())).extracting(SpreadMessagesTest::queue)
                .containsExactlyInAnyOrder("comments", "comments-2", "comments-3");
    }

    @Test
    void theRouteNamesTheOnlyQueue() {
        use(1);
        Exchange message = send();
        assertThat(message.getMessage().getHeaders()).isEmpty();
        assertThat(message.getExchangeExtension().handoverCompletions()).isNullOrEmpty();
    }
}
