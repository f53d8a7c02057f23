package comments.groupcommit;

import comments.errors.Leftovers;
import comments.observe.PipelineMetrics;
import comments.observe.PipelineMetrics.Refusal;
import comments.observe.Traces;
import io.micrometer.core.instrument.Metrics;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.camel.AsyncCallback;
import org.apache.camel.CamelContext;
import org.apache.camel.CamelContextAware;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.support.AsyncProcessorSupport;
import org.apache.camel.util.ObjectHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A step that commits many exchanges together. It parks each exchange, without holding its thread; a publisher takes all
 * that are waiting, sends them as one message to an endpoint that returns when the message is safe, and completes or fails
 * them as the message did. Databases call this group commit.
 *
 * <p>While one group is on its way, the next one gathers, so groups grow with the load. A lone exchange is sent at once. Only
 * after a group of several does the next group wait a moment for more, as PostgreSQL does with
 * {@code commit_delay} and {@code commit_siblings}: the clients that were just answered are about to send again.
 *
 * <p>The body of a parked exchange is bytes: one or more JSON values, separated by commas. The body of the message is one
 * JSON array of them; the header that {@link #setCountHeader} names says of each how many values it has, and that of the
 * message how many there are in all.
 *
 * <p>What is parked is bounded. An exchange that finds no room, or that comes after the step began to stop, fails at once
 * with {@link RejectedExecutionException}. One that has waited too long fails with {@link TimeoutException}, even while the
 * endpoint keeps its publisher; its message may still become safe then. Stopping waits for the groups that were parked
 * before. Each exchange continues exactly once, on a thread of this step.
 */
public class GroupCommit extends AsyncProcessorSupport implements CamelContextAware {

    private record Parked(Exchange exchange, AsyncCallback callback, byte[] body, int values, long sinceNanos,
            AtomicBoolean gone) {

        Parked(Exchange exchange, AsyncCallback callback, byte[] body, int values) {
            this(exchange, callback, body, values, System.nanoTime(), new AtomicBoolean());
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(GroupCommit.class);

    // ends a publisher
    private static final Parked END = new Parked(null, null, new byte[0], 0);
    private static final int SIBLINGS = 5;
    private static final int TIMEOUT_CHECKS = 20;

    private final LinkedBlockingQueue<Parked> queue = new LinkedBlockingQueue<>();
    private final AtomicLong parked = new AtomicLong();
    private final AtomicLong parkedBytes = new AtomicLong();
    private volatile Map<Publisher, Thread> threads = Map.of();
    private CamelContext camelContext;
    private ProducerTemplate template;
    private ScheduledExecutorService timeouts;
    private ScheduledFuture<?> timeoutTask;
    private volatile boolean open;

    private Traces traces;
    private String counter;
    private String endpoint;
    private String countHeader;
    private int publishers = 1;
    private int minPublishers = 1;
    private int groupSize = 1_000;
    private int groupBytes = 4 << 20;
    private int capacity = 10_000;
    private long capacityBytes = 64 << 20;
    private long timeoutMillis = 5_000;
    private long delayMillis = 1;

    /** Carries the ids of the exchanges' spans in the message, if traces are on. */
    public void setTraces(Traces traces) {
        this.traces = traces.ifEnabled();
    }

    /**
     * The name of a counter of the values that are committed, instead of the metrics of comments. By default it is null.
     */
    public void setCounter(String counter) {
        this.counter = counter;
    }

    /** Where a group is sent to. A message is taken for safe when the endpoint returns without an exception. */
    public void setEndpoint(String endpoint) {
        this.endpoint = endpoint;
    }

    /** The name of the header that says how many values a body holds. A parked body without it holds one. */
    public void setCountHeader(String countHeader) {
        this.countHeader = countHeader;
    }

    /** How many groups may be on their way at once. */
    public void setPublishers(int publishers) {
        this.publishers = publishers;
    }

    /** How many groups may be on their way at once at least, such as one for each place that they are sent to. */
    public void setMinPublishers(int minPublishers) {
        this.minPublishers = minPublishers;
    }

    /** A group ends when it holds this many values; one exchange is never split. */
    public void setGroupSize(int groupSize) {
        this.groupSize = groupSize;
    }

    /** A group ends when it holds this many bytes; one exchange is never split. */
    public void setGroupBytes(int groupBytes) {
        this.groupBytes = groupBytes;
    }

    /** How many exchanges may be parked, including the exchanges whose group is on its way. */
    public void setCapacity(int capacity) {
        this.capacity = capacity;
    }

    /** How many bytes of bodies may be parked, including the exchanges whose group is on its way. */
    public void setCapacityBytes(long capacityBytes) {
        this.capacityBytes = capacityBytes;
    }

    /** How many milliseconds an exchange may be parked, to within a twentieth. */
    public void setTimeout(long timeoutMillis) {
        this.timeoutMillis = timeoutMillis;
    }

    /** How many milliseconds a group waits for more when the one before it had {@value #SIBLINGS} exchanges or more. */
    public void setDelay(long delayMillis) {
        this.delayMillis = delayMillis;
    }

    @Override
    public void setCamelContext(CamelContext camelContext) {
        this.camelContext = camelContext;
    }

    @Override
    public CamelContext getCamelContext() {
        return camelContext;
    }

    /** How many exchanges wait for their commit now. */
    public long getParked() {
        return parked.get();
    }

    /** Whether all threads that this needs are alive, if it is started. */
    boolean isAlive() {
        return !open || !timeoutTask.isDone() && threads.values().stream().allMatch(Thread::isAlive);
    }

    /** Whether one more exchange would find room now. */
    public boolean hasRoom() {
        return open && parked.get() < capacity && parkedBytes.get() < capacityBytes;
    }

    /** Fails all exchanges that wait now, as if they had waited too long. */
    public void giveUp() {
        failParkedBefore(System.nanoTime());
    }

    private void failParkedBefore(long nanos) {
        for (Parked head = queue.peek(); isBefore(head, nanos); head = queue.peek()) {
            if (queue.remove(head)) {
                leave(head, new TimeoutException("no group took it in time"));
            }
        }
        for (Publisher publisher : threads.keySet()) {
            for (Parked each : publisher.underWay) {
                if (isBefore(each, nanos)) {
                    leave(each, new TimeoutException("its group was not confirmed in time"));
                }
            }
        }
    }

    private void failParkedForTooLong() {
        try {
            failParkedBefore(System.nanoTime() - TimeUnit.MILLISECONDS.toNanos(timeoutMillis));
        } catch (Throwable e) {
            // the executor would never call this again
            LOG.error("Exchanges that wait for too long can't be failed", e);
        }
    }

    private static boolean isBefore(Parked parking, long nanos) {
        return parking != null && parking != END && parking.sinceNanos() - nanos <= 0;
    }

    /** Completes an exchange, or fails it; returns false if that was done before. */
    private boolean leave(Parked parking, Exception failure) {
        if (parking.gone().compareAndSet(false, true)) {
            release(parking.body().length);
            if (failure != null) {
                parking.exchange().setException(failure);
            }
            try {
                parking.callback().done(false);
            } catch (Throwable e) {
                // it must not keep the others of its group waiting
                LOG.error("An exchange can't continue", e);
                Leftovers.fail(parking.exchange(), e);
            }
            return true;
        }
        return false;
    }

    @Override
    public boolean process(Exchange exchange, AsyncCallback callback) {
        byte[] body = exchange.getMessage().getBody(byte[].class);
        Integer values = exchange.getMessage().getHeader(countHeader, 1, Integer.class);
        if (!open || !reserve(body.length)) {
            return refuse(exchange, callback);
        }
        Parked parking = new Parked(exchange, callback, body, values);
        queue.add(parking);
        // The step may have closed, and refused what was left, between the check above and here.
        if (!open && queue.remove(parking)) {
            release(body.length);
            return refuse(exchange, callback);
        }
        return false;
    }

    private static boolean refuse(Exchange exchange, AsyncCallback callback) {
        PipelineMetrics.refused(Refusal.FULL);
        exchange.setException(new RejectedExecutionException("no room to wait for the commit"));
        callback.done(true);
        return true;
    }

    private boolean reserve(int bytes) {
        if (parked.incrementAndGet() <= capacity) {
            if (parkedBytes.addAndGet(bytes) <= capacityBytes) {
                return true;
            }
            parkedBytes.addAndGet(-bytes);
        }
        parked.decrementAndGet();
        return false;
    }

    private void release(int bytes) {
        parkedBytes.addAndGet(-bytes);
        parked.decrementAndGet();
    }

    /** Publishes one group after the other. */
    private final class Publisher implements Runnable {

        // what the timeouts may fail
        private volatile List<Parked> underWay = List.of();
        private List<Parked> group = List.of();
        private boolean end;

        @Override
        public void run() {
            while (!end) {
                try {
                    publishNext();
                } catch (InterruptedException e) {
                    // only a JVM that ends interrupts a publisher
                    Thread.currentThread().interrupt();
                    return;
                } catch (Throwable e) {
                    // also an Error, such as a full heap: without its publisher, this step would never commit again
                    LOG.error("A group can't be published", e);
                    group.forEach(each -> leave(each, new IllegalStateException(e)));
                }
            }
        }

        private void publishNext() throws InterruptedException {
            int siblings = group.size();
            group = new ArrayList<>();
            Parked first = queue.take();
            if (siblings >= SIBLINGS && delayMillis > 0) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(delayMillis));
            }
            end = gather(first, group);
            if (!group.isEmpty()) {
                underWay = group;
                try {
                    commit(group);
                } finally {
                    underWay = List.of();
                }
            }
        }
    }

    /** Takes what is waiting, as far as it fits into one group. Returns whether the publisher has to end after it. */
    private boolean gather(Parked first, List<Parked> group) {
        int values = 0;
        int bytes = 0;
        for (Parked next = first; next != null; next = queue.poll()) {
            if (next == END) {
                return true;
            }
            group.add(next);
            values += next.values();
            bytes += next.body().length;
            if (values >= groupSize || bytes >= groupBytes) {
                return false;
            }
        }
        return false;
    }

    private void commit(List<Parked> group) {
        Exception failure;
        int values = group.stream().mapToInt(Parked::values).sum();
        long start = System.nanoTime();
        try {
            failure = send(group, values);
        } catch (Throwable e) {
            // whatever it was, the publisher must go on
            failure = e instanceof Exception exception ? exception : new IllegalStateException(e);
        }
        if (failure != null && ObjectHelper.getException(RejectedExecutionException.class, failure) != null) {
            // of an executor that ended, perhaps after the message was sent: here, this class means that it was not
            IllegalStateException unknown = new IllegalStateException("the group may be published");
            unknown.addSuppressed(failure);
            failure = unknown;
        }
        if (failure == null && counter == null) {
            PipelineMetrics.confirmed(values, System.nanoTime() - start);
        }
        int accepted = 0;
        for (Parked one : group) {
            if (leave(one, failure) && failure == null) {
                accepted += one.values();
            }
        }
        if (counter == null) {
            PipelineMetrics.accepted(accepted);
        } else {
            Metrics.globalRegistry.counter(counter).increment(accepted);
        }
    }

    private Exception send(List<Parked> group, int values) {
        AtomicReference<Exchange> made = new AtomicReference<>();
        Exchange sent;
        try {
            sent = template.send(endpoint, message -> {
                made.set(message);
                message.getMessage().setHeader(countHeader, values);
                message.getMessage().setBody(array(group));
                if (traces != null) {
                    traces.carry(group.stream().map(Parked::exchange).toList(), message.getMessage());
                }
            });
        } catch (Error e) {
            if (made.get() != null) {
                // else the next group would publish this one, which has failed
                Leftovers.fail(made.get(), e);
            }
            throw e;
        }
        // A handler that swallowed the exception did not make the message safe.
        return sent.getException() != null ? sent.getException()
                : sent.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
    }

    private static byte[] array(List<Parked> group) {
        int length = 1;
        for (Parked one : group) {
            length += one.body().length + 1;
        }
        byte[] array = new byte[length];
        int end = 0;
        for (Parked one : group) {
            array[end] = (byte) (end == 0 ? '[' : ',');
            System.arraycopy(one.body(), 0, array, end + 1, one.body().length);
            end += one.body().length + 1;
        }
        array[end] = ']';
        return array;
    }

    @Override
    protected void doStart() {
        ObjectHelper.notNull(countHeader, "countHeader");
        template = camelContext.createProducerTemplate();
        timeouts = Executors.newSingleThreadScheduledExecutor(task -> new Thread(task, "group-commit-timeouts"));
        Map<Publisher, Thread> started = new LinkedHashMap<>();
        for (int i = 1; i <= Math.max(publishers, minPublishers); i++) {
            Publisher publisher = new Publisher();
            started.put(publisher, new Thread(publisher, "group-commit-" + i));
        }
        started.values().forEach(Thread::start);
        threads = started;
        long period = Math.max(1, timeoutMillis / TIMEOUT_CHECKS);
        timeoutTask = timeouts.scheduleAtFixedRate(this::failParkedForTooLong, period, period, TimeUnit.MILLISECONDS);
        open = true;
        if (counter == null) {
            PipelineMetrics.gauge("comments.waiting", "Requests that wait for the commit of their group", this,
                    GroupCommit::getParked);
        }
    }

    @Override
    protected void doStop() throws Exception {
        open = false;
        threads.forEach((publisher, thread) -> queue.add(END));
        for (Thread thread : threads.values()) {
            thread.join();
        }
        timeouts.shutdown();
        timeouts.awaitTermination(1, TimeUnit.MINUTES);
        threads = Map.of();
        for (Parked late = queue.poll(); late != null; late = queue.poll()) {
            // the END of a thread that had ended before is left, too
            if (late != END) {
                release(late.body().length);
                refuse(late.exchange(), late.callback());
            }
        }
        template.close();
    }
}
