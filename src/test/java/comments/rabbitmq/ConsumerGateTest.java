package comments.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.anyBoolean;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import com.rabbitmq.client.Channel;
import java.io.IOException;
import org.apache.camel.Exchange;
import org.apache.camel.component.springrabbit.SpringRabbitMQConstants;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.amqp.rabbit.connection.ChannelProxy;

class ConsumerGateTest {

    private final DefaultCamelContext context = new DefaultCamelContext();
    private final AcknowledgeInOrder acknowledge = new AcknowledgeInOrder();
    private final ConsumerGate gate = new ConsumerGate();
    private final Channel channel = mock(Channel.class);
    private final ChannelProxy proxy = mock(ChannelProxy.class);

    @BeforeEach
    void anOpenChannel() {
        gate.setAcknowledge(acknowledge);
        when(channel.isOpen()).thenReturn(true);
        when(proxy.getTargetChannel()).thenReturn(channel);
    }

    @AfterEach
    void close() throws IOException {
        context.close();
    }

    private Exchange receive(long tag) {
        Exchange exchange = new DefaultExchange(context);
        exchange.setProperty(SpringRabbitMQConstants.CHANNEL, proxy);
        exchange.getMessage().setHeader(SpringRabbitMQConstants.DELIVERY_TAG, tag);
        gate.onExchangeBegin(null, exchange);
        return exchange;
    }

    @Test
    void aMessageIsAcknowledgedOnTheChannelThatItCameBy() throws IOException {
        Exchange exchange = receive(1);
        Channel next = mock(Channel.class);
        when(proxy.getTargetChannel()).thenReturn(next);
        acknowledge.process(exchange);
        verify(channel).basicAck(1, true);
        verify(next, never()).basicAck(anyLong(), anyBoolean());
    }

    @Test
    void aMessageWhoseChannelWentMeanwhileIsSettled() throws IOException {
        Exchange exchange = receive(1);
        when(proxy.getTargetChannel()).thenReturn(null);
        acknowledge.process(exchange);
        verify(channel).basicAck(1, true);
    }

    @Test
    void aMessageWhoseChannelWasGoneAtOnceIsSettledAsNothing() throws IOException {
        when(proxy.getTargetChannel()).thenReturn(null);
        Exchange exchange = receive(1);
        acknowledge.process(exchange);
        assertThat(AcknowledgeInOrder.deliveries(exchange)).isEmpty();
        verify(channel, never()).basicAck(anyLong(), anyBoolean());
    }

    @Test
    void withoutAGateAChannelThatIsGoneIsSettledAsNothing() throws IOException {
        when(proxy.getTargetChannel()).thenReturn(null);
        Exchange exchange = new DefaultExchange(context);
        exchange.setProperty(SpringRabbitMQConstants.CHANNEL, proxy);
        exchange.getMessage().setHeader(SpringRabbitMQConstants.DELIVERY_TAG, 1L);
        acknowledge.process(exchange);
        verify(channel, never()).basicAck(anyLong(), anyBoolean());
    }

    @Test
    void everyMessageThatComesInIsCounted() throws IOException {
        receive(1);
        Exchange second = receive(2);
        assertThat(acknowledge.unsettled()).isEqualTo(2);
        acknowledge.process(second);
        // the first one may have failed before any step of the route
        assertThat(acknowledge.unsettled()).isEqualTo(2);
        gate.shut();
        assertThat(receive(3).isRouteStop()).isTrue();
        assertThat(acknowledge.unsettled()).isEqualTo(2);
    }
}
