package comments.groupcommit;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class GroupCommitTest extends GroupCommitFixture {

    private void awaitPublished(int messages) {
        await().until(() -> published.size() == messages);
    }

    @Test
    void aLoneExchangeIsSentAtOnce() throws Exception {
        start(exchange -> { });
        park("1").get(5, SECONDS);
        assertThat(published).containsExactly("[1]");
    }

    @Test
    void whatWaitsWhileAGroupIsOnItsWayIsTheNextGroup() throws Exception {
        startWithSlowBroker();
        park("1");
        awaitPublished(1);
        park("2");
        park("3,4", 2);
        CompletableFuture<Exchange> last = park("5");
        broker.release(2);
        last.get(5, SECONDS);
        assertThat(published).containsExactly("[1]", "[2,3,4,5]");
        assertThat(counts).containsExactly(1, 4);
    }

    @Test
    void nobodyGoesOnBeforeTheConfirm() throws Exception {
        startWithSlowBroker();
        CompletableFuture<Exchange> first = park("1");
        awaitPublished(1);
        assertThat(first).isNotDone();
        assertThat(groupCommit.getParked()).isEqualTo(1);
        broker.release();
        first.get(5, SECONDS);
        await().until(() -> groupCommit.getParked() == 0);
    }

    @Test
    void aGroupThatFailsFailsItsOwnAndNoOthers() throws Exception {
        start(exchange -> {
            broker.acquire();
            if (exchange.getMessage().getBody(String.class).contains("bad")) {
                throw new IllegalStateException("not confirmed");
            }
        });
        CompletableFuture<Exchange> before = park("1");
        awaitPublished(1);
        CompletableFuture<Exchange> bad = park("bad");
        CompletableFuture<Exchange> withBad = park("2");
        broker.release();
        before.get(5, SECONDS);
        awaitPublished(2);
        CompletableFuture<Exchange> after = park("3");
        broker.release(2);
        assertThat(bad).failsWithin(5, SECONDS).withThrowableThat().havingCause().withMessage("not confirmed");
        assertThat(withBad).failsWithin(5, SECONDS).withThrowableThat().havingCause().withMessage("not confirmed");
        after.get(5, SECONDS);
    }

    @Test
    void aFailureThatTheRouteSwallowsIsAFailure() throws Exception {
        context.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                onException(Exception.class).handled(true);
                from("direct:swallow").throwException(new IllegalStateException("swallowed"));
            }
        });
        groupCommit.setCamelContext(context);
        groupCommit.setEndpoint("direct:swallow");
        context.start();
        groupCommit.start();
        assertThat(park("1")).failsWithin(5, SECONDS).withThrowableThat().havingCause().withMessage("swallowed");
    }

    @Test
    void groupsEndAtTheirSizeAndAtTheirBytes() throws Exception {
        groupCommit.setGroupSize(3);
        groupCommit.setGroupBytes(100);
        startWithSlowBroker();
        park("0");
        awaitPublished(1);
        for (int i = 1; i <= 7; i++) {
            park("" + i);
        }
        park("\"" + "a".repeat(120) + "\"");
        CompletableFuture<Exchange> last = park("9");
        broker.release(10);
        last.get(5, SECONDS);
        assertThat(published).containsExactly("[0]", "[1,2,3]", "[4,5,6]", "[7,\"" + "a".repeat(120) + "\"]", "[9]");
    }

    @Test
    void oneMoreThanItHasRoomForIsRefusedAtOnce() throws Exception {
        groupCommit.setCapacity(3);
        startWithSlowBroker();
        park("1");
        awaitPublished(1);
        park("2");
        CompletableFuture<Exchange> third = park("3");
        assertThat(park("4")).isCompletedExceptionally()
                .failsWithin(0, SECONDS).withThrowableThat().withCauseInstanceOf(RejectedExecutionException.class);
        broker.release(2);
        third.get(5, SECONDS);
        await().until(() -> groupCommit.getParked() == 0);
        broker.release();
        park("5").get(5, SECONDS);
    }

    @Test
    void moreBytesThanItHasRoomForAreRefusedAtOnce() throws Exception {
        groupCommit.setCapacityBytes(100);
        startWithSlowBroker();
        CompletableFuture<Exchange> first = park("1".repeat(60));
        assertThat(park("2".repeat(60))).isCompletedExceptionally();
        CompletableFuture<Exchange> small = park("3".repeat(40));
        broker.release(2);
        first.get(5, SECONDS);
        small.get(5, SECONDS);
        await().until(() -> groupCommit.getParked() == 0);
    }

    @Test
    void whoWaitsTooLongFailsAndIsNotSentAnyMore() throws Exception {
        groupCommit.setTimeout(200);
        startWithSlowBroker();
        CompletableFuture<Exchange> underWay = park("1");
        awaitPublished(1);
        CompletableFuture<Exchange> waiting = park("2");
        assertThat(underWay).failsWithin(2, SECONDS).withThrowableThat().withCauseInstanceOf(TimeoutException.class);
        assertThat(waiting).failsWithin(2, SECONDS).withThrowableThat().withCauseInstanceOf(TimeoutException.class);
        assertThat(groupCommit.getParked()).isZero();
        CompletableFuture<Exchange> later = park("3");
        broker.release(2);
        later.get(5, SECONDS);
        assertThat(published).containsExactly("[1]", "[3]");
    }

    @Test
    void givingUpFailsAllWhoWait() throws Exception {
        startWithSlowBroker();
        CompletableFuture<Exchange> underWay = park("1");
        awaitPublished(1);
        CompletableFuture<Exchange> waiting = park("2");
        groupCommit.giveUp();
        assertThat(underWay).isCompletedExceptionally();
        assertThat(waiting).isCompletedExceptionally();
        assertThat(groupCommit.getParked()).isZero();
    }

    @Test
    void onlyAfterAGroupOfSeveralDoesTheNextWaitForCompany() throws Exception {
        groupCommit.setDelay(4_000);
        startWithSlowBroker();
        park("1");
        awaitPublished(1);
        List<CompletableFuture<Exchange>> siblings = Stream.of("2", "3", "4", "5", "6").map(this::park).toList();
        broker.release(10);
        siblings.get(4).get(3_500, MILLISECONDS);
        CompletableFuture<Exchange> next = park("7");
        CompletableFuture<Exchange> company = CompletableFuture
                .supplyAsync(() -> park("8"), CompletableFuture.delayedExecutor(100, MILLISECONDS)).get(5, SECONDS);
        next.get(10, SECONDS);
        company.get(10, SECONDS);
        park("9").get(3_500, MILLISECONDS);
        assertThat(published).containsExactly("[1]", "[2,3,4,5,6]", "[7,8]", "[9]");
    }

    @Test
    void stoppingAnswersWhoWaitsAndRefusesWhoComesLater() throws Exception {
        startWithSlowBroker();
        CompletableFuture<Exchange> first = park("1");
        awaitPublished(1);
        CompletableFuture<Exchange> second = park("2");
        CompletableFuture<Void> stopped = CompletableFuture.runAsync(groupCommit::stop);
        await().until(() -> park("late").isCompletedExceptionally());
        broker.release(2);
        first.get(5, SECONDS);
        second.get(5, SECONDS);
        stopped.get(5, SECONDS);
        assertThat(published).startsWith("[1]", "[2]");
        assertThat(park("3")).isCompletedExceptionally();
    }

    @Test
    void itCanBeStartedAgain() throws Exception {
        start(exchange -> { });
        park("1").get(5, SECONDS);
        groupCommit.stop();
        groupCommit.start();
        park("2").get(5, SECONDS);
        assertThat(published).containsExactly("[1]", "[2]");
    }
}
