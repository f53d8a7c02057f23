package comments.groupcommit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

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
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many threads at once, under random delays, failures and stops. */
class GroupCommitStressTest extends GroupCommitFixture {

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
