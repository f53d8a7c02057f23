package comments.groupcommit;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.health.HealthCheck.State;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What an Error does to the threads of a group commit: nothing. */
@Timeout(60)
class GroupCommitErrorsTest {

    private static final long LONG = 60_000;

    private final DefaultCamelContext context = new DefaultCamelContext();
    private final GroupCommit groupCommit = new GroupCommit();
    private final PublisherHealth health = new PublisherHealth();
    private final AtomicBoolean hang = new AtomicBoolean();
    private final CountDownLatch published = new CountDownLatch(1);
    private final AtomicBoolean error = new AtomicBoolean();
    private final AtomicInteger sent = new AtomicInteger();
    private final AtomicInteger answered = new AtomicInteger();

    /** Starts without a time-out that a busy machine could reach. */
    private void start() throws Exception {
        start(LONG);
    }

    private void start(long timeoutMillis) throws Exception {
        context.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                from("direct:publish").errorHandler(noErrorHandler()).process(exchange -> {
                    published.countDown();
                    while (hang.get()) {
                        Thread.sleep(10);
                    }
                    if (error.get()) {
                        throw new StackOverflowError("of a test");
                    }
                }).process(exchange -> sent.incrementAndGet());
                from("direct:park").errorHandler(noErrorHandler()).process(groupCommit).process(exchange -> {
                    if (exchange.getMessage().getBody(String.class).equals("error")) {
                        throw new StackOverflowError("of a test");
                    }
                }).process(exchange -> answered.incrementAndGet());
            }
        });
        groupCommit.setCamelContext(context);
        groupCommit.setEndpoint("direct:publish");
        groupCommit.setCountHeader("count");
        groupCommit.setTimeout(timeoutMillis);
        context.getRegistry().bind("anotherGroupCommit", new GroupCommit());
        context.getRegistry().bind("groupCommit", groupCommit);
        health.setCamelContext(context);
        context.start();
        groupCommit.start();
    }

    @AfterEach
    void stop() throws IOException {
        hang.set(false);
        groupCommit.stop();
        context.close();
    }

    /** Parks an exchange; an error is thrown by what comes after the step. */
    private CompletableFuture<Exchange> park(byte[] body, Error error) {
        Exchange exchange = new DefaultExchange(context);
        exchange.getMessage().setBody(body);
        CompletableFuture<Exchange> done = new CompletableFuture<>();
        groupCommit.process(exchange, sync -> {
            if (error != null) {
                throw error;
            }
            if (exchange.getException() != null) {
                done.completeExceptionally(exchange.getException());
            } else {
                done.complete(exchange);
            }
        });
        return done;
    }

    private void assertCommits() throws Exception {
        assertThat(park(new byte[] {'1'}, null).get(30, SECONDS)).isNotNull();
        assertThat(groupCommit.getParked()).isZero();
        assertThat(health.call().getState()).isEqualTo(State.UP);
    }

    @Test
    void anErrorOfAnExchangeThatContinuesEndsNoPublisher() throws Exception {
        start();
        park(new byte[] {'1'}, new StackOverflowError());
        assertCommits();
    }

    @Test
    void aGroupThatFailedByAnErrorIsNotPublishedWithTheNext() throws Exception {
        start();
        error.set(true);
        assertThat(park(new byte[] {'1'}, null)).failsWithin(30, SECONDS);
        error.set(false);
        assertCommits();
        assertThat(sent).hasValue(1);
    }

    @Test
    void anExchangeWhoseNextStepThrowsAnErrorFailsAlone() throws Exception {
        start();
        try (ProducerTemplate template = context.createProducerTemplate()) {
            Exchange failed = template.asyncSend("direct:park", exchange -> exchange.getMessage().setBody("error")).get(30, SECONDS);
            assertThat(failed.getException()).hasRootCauseInstanceOf(StackOverflowError.class);
            Exchange next = template.asyncSend("direct:park", exchange -> exchange.getMessage().setBody("1")).get(30, SECONDS);
            assertThat(next.getException()).isNull();
        }
        assertThat(answered).hasValue(1);
    }

    @Test
    void anErrorOfAnExchangeThatTimesOutEndsNoTimeouts() throws Exception {
        start(200);
        hang.set(true);
        park(new byte[] {'1'}, new StackOverflowError());
        await().until(() -> groupCommit.getParked() == 0);
        assertThat(park(new byte[] {'1'}, null)).failsWithin(30, SECONDS).withThrowableThat()
                .withCauseInstanceOf(TimeoutException.class);
        hang.set(false);
        groupCommit.setTimeout(LONG);
        assertCommits();
    }

    /** Two bodies that no array can hold together. */
    @Test
    void aGroupThatNeedsMoreMemoryThanThereIsFailsAlone() throws Exception {
        start();
        groupCommit.setCapacityBytes(Long.MAX_VALUE);
        groupCommit.setGroupBytes(Integer.MAX_VALUE);
        hang.set(true);
        park(new byte[] {'1'}, null);
        // else its group takes a part of the large ones, and the rest may fit
        published.await();
        byte[] large = new byte[8 << 20];
        CompletableFuture<Exchange> last = null;
        for (int i = 0; i < 300; i++) {
            last = park(large, null);
        }
        hang.set(false);
        assertThat(last).failsWithin(30, SECONDS).withThrowableThat()
                .matches(failure -> !(failure.getCause() instanceof TimeoutException));
        assertCommits();
    }

    @Test
    void aThreadThatEndedIsSeen() throws Exception {
        start();
        assertThat(health.call().getState()).isEqualTo(State.UP);
        Thread.getAllStackTraces().keySet().stream().filter(thread -> thread.getName().equals("group-commit-1"))
                .forEach(Thread::interrupt);
        await().until(() -> health.call().getState() == State.DOWN);
        assertThat(health.isLiveness()).isTrue();
    }
}
