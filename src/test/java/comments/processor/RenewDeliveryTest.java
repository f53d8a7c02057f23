package comments.processor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.mockito.Mockito.timeout;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import java.util.Map;
import org.apache.camel.EndpointInject;
import org.apache.camel.Exchange;
import org.apache.camel.builder.AdviceWithRouteBuilder;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.test.main.junit5.AdviceRouteMapping;
import org.apache.camel.test.main.junit5.CamelMainTest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Messages that were delivered several times, in the route file as it ships; the queue, the database and the broker are stood in for. */
@CamelMainTest(
        advices = {@AdviceRouteMapping(route = "comment-job-processor", advice = CommentJobProcessorTest.Neighbours.class),
            @AdviceRouteMapping(route = "comment-job-processor-renewal", advice = RenewDeliveryTest.Queue.class)},
        properties = {"COMMENTS_ROLES=comment-job-processor", "COMMENTS_BATCH_INTERVAL=100", "camel.metrics.enabled=false",
            "camel.management.enabled=false"})
class RenewDeliveryTest extends ProcessorRouteTest {

    static class Queue extends AdviceWithRouteBuilder {
        @Override
        public void configure() {
            weaveById("renewed-to-comments").replace().to("mock:comments");
        }
    }

    @EndpointInject("mock:insert")
    MockEndpoint insert;

    @EndpointInject("mock:comments")
    MockEndpoint queue;

    @BeforeEach
    void reset() {
        insert.reset();
        queue.reset();
        when(channel.isOpen()).thenReturn(true);
    }

    private Exchange deliver(long tag, Object deliveryCount) {
        return receive(tag, deliveryCount == null ? Map.of("CC", "elsewhere") : Map.of("CC", "elsewhere", "x-delivery-count", deliveryCount));
    }

    @Test
    void aMessageThatWasDeliveredSeveralTimesIsPublishedAnewAndAcknowledgedAtOnce() throws Exception {
        // a batch that is never settled is before it
        insert.whenAnyExchangeReceived(exchange -> {
            throw new IllegalStateException("locked");
        });
        deliver(1, null);
        await().until(() -> insert.getReceivedCounter() > 0);
        deliver(2, 3L);
        verify(channel).basicAck(2, false);
        assertThat(queue.getExchanges()).singleElement().satisfies(renewed -> {
            assertThat(renewed.getMessage().getBody(String.class)).isEqualTo("[{\"id\":\"2\"}]");
            assertThat(renewed.getMessage().getHeaders()).containsOnly(Map.entry("commentCount", 1),
                    Map.entry("CamelSpringRabbitmqContentType", "application/json"));
        });
        insert.whenAnyExchangeReceived(exchange -> { });
        verify(channel, timeout(5_000)).basicAck(1, true);
    }

    @Test
    void aMessageThatCannotBeRenewedIsWrittenAsItIs() throws Exception {
        queue.whenAnyExchangeReceived(exchange -> {
            throw new IllegalStateException("not confirmed");
        });
        deliver(1, 7L);
        verify(channel, timeout(5_000)).basicAck(1, true);
        assertThat(insert.getExchanges()).hasSize(1);
    }

    @Test
    void othersAreWrittenAsTheyAre() throws Exception {
        deliver(1, null);
        deliver(2, 1L);
        deliver(3, 2L);
        verify(channel, timeout(5_000)).basicAck(3, true);
        assertThat(queue.getExchanges()).isEmpty();
    }
}
