package comments.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.mockito.ArgumentMatchers.anyBoolean;
import static org.mockito.ArgumentMatchers.anyInt;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.ArgumentMatchers.anyString;
import static org.mockito.Mockito.doAnswer;
import static org.mockito.Mockito.doThrow;
import static org.mockito.Mockito.inOrder;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.verifyNoMoreInteractions;
import static org.mockito.Mockito.when;

import com.rabbitmq.client.AlreadyClosedException;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.LongStream;
import org.apache.camel.Exchange;
import org.apache.camel.component.springrabbit.SpringRabbitMQConstants;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;
import org.mockito.InOrder;
import org.springframework.amqp.rabbit.connection.ChannelProxy;

class AcknowledgeInOrderTest {

    private final AcknowledgeInOrder acknowledge = new AcknowledgeInOrder();
    private final Channel channel = mock(Channel.class);

    private List<Delivery> deliveries(long from, long to) {
        return LongStream.rangeClosed(from, to).mapToObj(tag -> new Delivery(channel, tag)).toList();
    }

    @Test
    void acknowledgesABatchAtOnce() throws IOException {
        acknowledge.settle(deliveries(1, 50));
        verify(channel).basicAck(50, true);
        verifyNoMoreInteractions(channel);
    }

    @Test
    void aBatchThatOvertakesWaitsForTheOneBefore() throws IOException {
        acknowledge.settle(deliveries(11, 20));
        verify(channel, never()).basicAck(anyLong(), anyBoolean());
        acknowledge.settle(deliveries(1, 10));
        verify(channel).basicAck(20, true);
        verifyNoMoreInteractions(channel);
    }

    @Test
    void aBatchThatIsNeverSettledHoldsBackEverythingAfterIt() throws IOException {
        acknowledge.settle(deliveries(1, 10));
        acknowledge.settle(deliveries(21, 30));
        acknowledge.settle(deliveries(31, 40));
        verify(channel).basicAck(10, true);
        verifyNoMoreInteractions(channel);
    }

    @Test
    void channelsDoNotWaitForEachOther() throws IOException {
        Channel other = mock(Channel.class);
        acknowledge.settle(List.of(new Delivery(channel, 2), new Delivery(other, 1), new Delivery(other, 2)));
        verify(other).basicAck(2, true);
        verify(channel, never()).basicAck(anyLong(), anyBoolean());
    }

    @Test
    void aClosedChannelIsLeftToTheBroker() throws IOException {
        doThrow(new AlreadyClosedException(new ShutdownSignalException(true, false, null, null)))
                .when(channel).basicAck(anyLong(), anyBoolean());
        acknowledge.settle(deliveries(1, 3));
        verify(channel).basicAck(3, true);
    }

    @Test
    void aConnectionThatBreaksIsToldToTheRoute() throws IOException {
        doThrow(new IOException("broken")).when(channel).basicAck(anyLong(), anyBoolean());
        assertThatThrownBy(() -> acknowledge.settle(deliveries(1, 3))).hasMessage("broken");
    }

    @Test
    void takesTheRawChannelOfTheProxyThatCamelHands() throws IOException {
        ChannelProxy proxy = mock(ChannelProxy.class);
        when(proxy.getTargetChannel()).thenReturn(channel);
        try (DefaultCamelContext context = new DefaultCamelContext()) {
            Exchange exchange = new DefaultExchange(context);
            exchange.setProperty(SpringRabbitMQConstants.CHANNEL, proxy);
            exchange.getMessage().setHeader(SpringRabbitMQConstants.DELIVERY_TAG, 1L);
            acknowledge.process(exchange);
        }
        verify(channel).basicAck(1, true);
        verify(proxy, never()).basicAck(anyLong(), anyBoolean());
    }

    @Test
    void countsWhatIsNotAcknowledgedOnOpenChannels() throws IOException {
        when(channel.isOpen()).thenReturn(true);
        assertThat(acknowledge.oldestUnsettled()).isZero();
        deliveries(1, 3).forEach(acknowledge::received);
        assertThat(acknowledge.unsettled()).isEqualTo(3);
        assertThat(acknowledge.oldestUnsettled()).isPositive().isLessThan(Duration.ofMinutes(1));
        acknowledge.settle(deliveries(1, 2));
        assertThat(acknowledge.unsettled()).isEqualTo(1);
        when(channel.isOpen()).thenReturn(false);
        assertThat(acknowledge.unsettled()).isZero();
        assertThat(acknowledge.oldestUnsettled()).isZero();
    }

    @Test
    void threadsThatSettleAtOnceAcknowledgeEverythingInRisingOrder() throws Exception {
        List<Long> acknowledged = Collections.synchronizedList(new ArrayList<>());
        doAnswer(call -> acknowledged.add(call.getArgument(0))).when(channel).basicAck(anyLong(), anyBoolean());
        List<List<Delivery>> batches = new ArrayList<>();
        for (long from = 1; from <= 10_000; from += 10) {
            batches.add(deliveries(from, from + 9));
        }
        Collections.shuffle(batches, new Random(20261122));
        ExecutorService threads = Executors.newFixedThreadPool(8);
        List<Future<?>> done = new ArrayList<>();
        for (List<Delivery> batch : batches) {
            done.add(threads.submit(() -> {
                acknowledge.settle(batch);
                return null;
            }));
        }
        for (Future<?> one : done) {
            one.get();
        }
        threads.shutdown();
        assertThat(acknowledged).isSorted().doesNotHaveDuplicates().endsWith(10_000L);
    }

    @Test
    void acknowledgementsOfOneChannelRise() throws IOException {
        acknowledge.settle(deliveries(1, 1));
        acknowledge.settle(deliveries(3, 3));
        acknowledge.settle(deliveries(2, 2));
        InOrder order = inOrder(channel);
        order.verify(channel).basicAck(1, true);
        order.verify(channel).basicAck(3, true);
        verifyNoMoreInteractions(channel);
    }

    @Test
    void givesOnlyChannelsBackThatHoldMessages() throws IOException {
        Channel idle = mock(Channel.class);
        Channel closed = mock(Channel.class);
        when(channel.isOpen()).thenReturn(true);
        when(idle.isOpen()).thenReturn(true);
        deliveries(1, 2).forEach(acknowledge::received);
        acknowledge.received(new Delivery(idle, 1));
        acknowledge.received(new Delivery(closed, 1));
        acknowledge.settle(List.of(new Delivery(channel, 2), new Delivery(idle, 1)));
        acknowledge.giveBack();
        verify(channel).abort(anyInt(), anyString());
        verify(idle, never()).abort(anyInt(), anyString());
        verify(closed, never()).abort(anyInt(), anyString());
    }
}
