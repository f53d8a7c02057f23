package comments.page;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

import comments.observe.PipelineMetrics;
import comments.postgresql.ReactiveSqlComponent;
import comments.rabbitmq.RabbitConnectionFactory;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is told while servers are slow to answer; {@link CommentPageTest} has the rest. */
@Timeout(60)
class PipelineStatusTest {

    private final DefaultCamelContext context = new DefaultCamelContext();
    private final PipelineStatus status = new PipelineStatus();

    private Exchange ask() throws Exception {
        Exchange exchange = new DefaultExchange(context);
        status.process(exchange);
        return exchange;
    }

    @Test
    void whileNothingIsKnownYetOneWaitsForItAndTheOthersAreRefusedAtOnce() throws Exception {
        PipelineMetrics.retried();
        context.getPropertiesComponent().addOverrideProperty("COMMENTS_ROLES", "comment-reader");
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch answered = new CountDownLatch(1);
        RabbitConnectionFactory connections = mock(RabbitConnectionFactory.class);
        when(connections.isUsable()).thenAnswer(call -> {
            asked.countDown();
            answered.await();
            return false;
        });
        ReactiveSqlComponent database = mock(ReactiveSqlComponent.class);
        when(database.problem(anyLong())).thenReturn("The database is not reachable.");
        status.setCamelContext(context);
        context.getRegistry().bind("pushListening", connections);
        context.getRegistry().bind("reactive-sql", database);
        CompletableFuture<Exchange> first = CompletableFuture.supplyAsync(() -> {
            try {
                return ask();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
            // not the common pool, whose threads other tests may hold
        }, task -> new Thread(task).start());
        try {
            asked.await();
            for (int i = 0; i < 100; i++) {
                assertThatThrownBy(this::ask).isInstanceOf(RejectedExecutionException.class);
            }
            assertThat(first).isNotDone();
        } finally {
            answered.countDown();
        }
        assertThat(first.get().getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE)).isEqualTo(200);
        assertThat(new String(ask().getMessage().getBody(byte[].class), StandardCharsets.UTF_8)).contains("The database is not reachable.");
    }
}
