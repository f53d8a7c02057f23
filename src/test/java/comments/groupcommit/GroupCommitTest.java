package comments.groupcommit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class GroupCommitTest {

    private static final String COUNT = "count";

    private final DefaultCamelContext context = new DefaultCamelContext();
    private final GroupCommit groupCommit = new GroupCommit();
    private final List<String> published = Collections.synchronizedList(new ArrayList<>());
    private final List<Integer> counts = Collections.synchronizedList(new ArrayList<>());
    /** Each message takes a permit before it is confirmed. */
    private final Semaphore broker = new Semaphore(0);

    @BeforeEach
    void setCountHeader() {
        groupCommit.setCountHeader(COUNT);
    }

    private void start(Processor confirm) throws Exception {
        context.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                from("direct:publish").errorHandler(noErrorHandler()).process(exchange -> {
                    published.add(exchange.getMessage().getBody(String.class));
                    counts.add(exchange.getMessage().getHeader(COUNT, Integer.class));
                    confirm.process(exchange);
                });
            }
        });
        groupCommit.setCamelContext(context);
        groupCommit.setEndpoint("direct:publish");
        context.start();
        groupCommit.start();
    }

    private void startWithSlowBroker() throws Exception {
        start(exchange -> broker.acquire());
    }

    @AfterEach
    void stop() throws IOException {
        broker.release(1_000_000);
        groupCommit.stop();
        context.close();
    }

    private CompletableFuture<Exchange> park(String body) {
        return park(body, 1);
    }

    private CompletableFuture<Exchange> park(String body, int values) {
        Exchange exchange = new DefaultExchange(context);
        exchange.getMessage().setBody(body.getBytes(UTF_8));
        exchange.getMessage().setHeader(COUNT, values);
        CompletableFuture<Exchange> done = new CompletableFuture<>();
        groupCommit.process(exchange, sync -> {
            if (exchange.getException() != null) {
                done.completeExceptionally(exchange.getException());
            } else {
                done.complete(exchange);
            }
        });
        return done;
    }

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
        groupCommit.setDelay(1_000);
        startWithSlowBroker();
        park("1");
        awaitPublished(1);
        List<CompletableFuture<Exchange>> siblings = Stream.of("2", "3", "4", "5", "6").map(this::park).toList();
        broker.release(10);
        siblings.get(4).get(900, MILLISECONDS);
        CompletableFuture<Exchange> next = park("7");
        CompletableFuture<Exchange> company = CompletableFuture
                .supplyAsync(() -> park("8"), CompletableFuture.delayedExecutor(100, MILLISECONDS)).get(5, SECONDS);
        next.get(5, SECONDS);
        company.get(5, SECONDS);
        park("9").get(900, MILLISECONDS);
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

    /** Millions of exchanges from several threads, under random delays and failures: each goes on exactly once, as its group did. */
    @Test
    @Timeout(300)
    void nobodyIsForgottenOrAnsweredTwice() throws Exception {
        int threads = 4;
        int each = 500_000;
        Map<Integer, Boolean> confirmed = new ConcurrentHashMap<>();
        CountDownLatch firstRefusal = new CountDownLatch(1);
        groupCommit.setPublishers(2);
        groupCommit.setCapacity(1_000);
        context.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                from("direct:publish").errorHandler(noErrorHandler()).process(exchange -> {
                    // so that there is a time when there is no room
                    firstRefusal.await();
                    ThreadLocalRandom random = ThreadLocalRandom.current();
                    if (random.nextInt(4) == 0) {
                        LockSupport.parkNanos(random.nextInt(200_000));
                    }
                    boolean fails = random.nextInt(10) == 0;
                    String body = new String(exchange.getMessage().getBody(byte[].class), UTF_8);
                    for (String one : body.substring(1, body.length() - 1).split(",")) {
                        assertThat(confirmed.put(Integer.valueOf(one), !fails)).as("published twice: " + one).isNull();
                    }
                    if (fails) {
                        throw new IllegalStateException("not confirmed");
                    }
                });
            }
        });
        groupCommit.setCamelContext(context);
        groupCommit.setEndpoint("direct:publish");
        context.start();
        groupCommit.start();

        AtomicIntegerArray answers = new AtomicIntegerArray(threads * each);
        AtomicInteger wrong = new AtomicInteger();
        AtomicInteger refused = new AtomicInteger();
        CountDownLatch answered = new CountDownLatch(threads * each);
        List<Thread> posters = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            int from = t * each;
            Thread poster = new Thread(() -> {
                SplittableRandom random = new SplittableRandom(from);
                for (int i = from; i < from + each; i++) {
                    int id = i;
                    Exchange exchange = new DefaultExchange(context);
                    exchange.getMessage().setBody(Integer.toString(id).getBytes(UTF_8));
                    groupCommit.process(exchange, sync -> {
                        answers.incrementAndGet(id);
                        boolean accepted = exchange.getException() == null;
                        if (exchange.getException() instanceof RejectedExecutionException) {
                            refused.incrementAndGet();
                            firstRefusal.countDown();
                        } else if (!Boolean.valueOf(accepted).equals(confirmed.get(id))) {
                            wrong.incrementAndGet();
                        }
                        answered.countDown();
                    });
                    // later, mostly there is room
                    if (firstRefusal.getCount() == 0 && groupCommit.getParked() > 900) {
                        LockSupport.parkNanos(random.nextInt(2_000_000));
                    }
                }
            });
            posters.add(poster);
            poster.start();
        }
        for (Thread poster : posters) {
            poster.join();
        }
        assertThat(answered.await(60, SECONDS)).as("all are answered").isTrue();
        groupCommit.stop();
        for (int i = 0; i < answers.length(); i++) {
            assertThat(answers.get(i)).isEqualTo(1);
        }
        assertThat(wrong).hasValue(0);
        assertThat(refused.get() + confirmed.size()).isEqualTo(threads * each);
        assertThat(confirmed.size()).as("some are accepted").isGreaterThan(each);
        assertThat(refused).as("some are refused").hasPositiveValue();
        assertThat(groupCommit.getParked()).isZero();
    }

    /** Stopping at any moment answers or refuses everybody. */
    @Test
    @Timeout(120)
    void stoppingAtAnyMomentLeavesNobodyWaiting() throws Exception {
        start(exchange -> LockSupport.parkNanos(ThreadLocalRandom.current().nextInt(50_000)));
        for (int round = 0; round < 300; round++) {
            List<CompletableFuture<Exchange>> parked = Collections.synchronizedList(new ArrayList<>());
            List<Thread> posters = new ArrayList<>();
            for (int t = 0; t < 3; t++) {
                Thread poster = new Thread(() -> {
                    for (int i = 0; i < 200; i++) {
                        parked.add(park("1"));
                    }
                });
                posters.add(poster);
                poster.start();
            }
            LockSupport.parkNanos(ThreadLocalRandom.current().nextInt(1_000_000));
            groupCommit.stop();
            for (Thread poster : posters) {
                poster.join();
            }
            for (CompletableFuture<Exchange> one : parked) {
                try {
                    one.get(10, SECONDS);
                } catch (ExecutionException e) {
                    assertThat(e).hasCauseInstanceOf(RejectedExecutionException.class);
                }
            }
            assertThat(groupCommit.getParked()).isZero();
            groupCommit.start();
        }
    }
}
