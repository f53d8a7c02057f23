package comments.processor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.mockito.ArgumentMatchers.anyBoolean;
import static org.mockito.ArgumentMatchers.anyInt;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.ArgumentMatchers.anyString;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.timeout;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.camel.EndpointInject;
import org.apache.camel.builder.AdviceWithRouteBuilder;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.test.main.junit5.AdviceRouteMapping;
import org.apache.camel.test.main.junit5.CamelMainTest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An Error in a writer, such as of a thread that can't be made: a batch that is not written is neither notified nor acknowledged. */
@CamelMainTest(
        advices = @AdviceRouteMapping(route = "comment-job-processor", advice = WriterErrorTest.Neighbours.class),
        properties = {"COMMENTS_ROLES=comment-job-processor", "COMMENTS_WRITERS=1", "COMMENTS_BATCH_SIZE=1",
            "camel.metrics.enabled=false", "camel.management.enabled=false"})
class WriterErrorTest extends ProcessorRouteTest {

    private static final List<String> WRITERS = new CopyOnWriteArrayList<>();

    static class Neighbours extends AdviceWithRouteBuilder {
        @Override
        public void configure() {
            replaceFromWith("direct:comments");
            weaveById("insert-comments").replace().process(exchange -> {
                WRITERS.add(Thread.currentThread().getName());
                if (WRITERS.size() == 1) {
                    throw new OutOfMemoryError("of a test: unable to create native thread");
                }
            });
            weaveById("to-notifications").replace().to("mock:notifications");
        }
    }

    @EndpointInject("mock:notifications")
    MockEndpoint notifications;

    @BeforeEach
    void open() {
        when(channel.isOpen()).thenReturn(true);
    }

    @Test
    void theBatchGoesBackToTheBrokerAndTheNextIsWritten() throws Exception {
        receive(1, Map.of());
        verify(channel, timeout(10_000)).abort(anyInt(), anyString());
        receive(2, Map.of());
        await().until(() -> notifications.getReceivedCounter() > 0);
        await().during(Duration.ofMillis(300)).until(() -> notifications.getReceivedCounter() == 1);
        assertThat(notifications.getExchanges().get(0).getMessage().getBody(String.class)).contains("\"id\":\"2\"");
        // an acknowledgement of the second message would be one of the first, too
        verify(channel, never()).basicAck(anyLong(), anyBoolean());
        assertThat(WRITERS).containsExactly("batch-writer-1", "batch-writer-2");
    }
}
