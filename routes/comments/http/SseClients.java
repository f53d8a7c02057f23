package comments.http;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.apache.camel.Message;

/**
 * The clients of server-sent events, each with a topic and an open response.
 *
 * <p>A client needs no thread: the event loop of its connection writes its events, and is the only thread that adds and
 * removes it. It writes to a few clients at a time, so that requests in between don't wait for thousands of writes. A
 * sender waits until its events are written, so that they don't accumulate.
 */
public class SseClients {

    /** The topic of clients that subscribe to all events. */
    public static final String ALL = "";

    /** The first id of a client while no event with an id has been sent: nothing is known of what it will miss. */
    public static final long UNKNOWN_ID = 0;

    private static final int HEARTBEAT_SECONDS = 15;
    private static final int TICK_MILLIS = 100;
    private static final int TICKS = HEARTBEAT_SECONDS * 1_000 / TICK_MILLIS;
    private static final int WRITES_AT_ONCE = 100;
    private static final int LATER_MILLIS = 10_000;

    private final List<Loop> loops = new CopyOnWriteArrayList<>();
    private final ThreadLocal<Loop> current = ThreadLocal.withInitial(Loop::new);
    // how many clients subscribe to a topic
    private final Map<String, Integer> byTopic = new ConcurrentHashMap<>();
    private final Map<String, Integer> byAddress = new ConcurrentHashMap<>();
    private final AtomicInteger count = new AtomicInteger();
    private int maxClients = 10_000;
    private int share = 100;
    private int maxBytes = 64 << 20;
    private ClientAddress addresses = new ClientAddress("");
    private final AtomicLong waiting = new AtomicLong();
    private final AtomicLong latestId = new AtomicLong(UNKNOWN_ID);
    private volatile boolean shut;

    /** The clients of one event loop. Only its thread calls it, but for {@link #run}. */
    final class Loop {

        private final Context context = Vertx.currentContext();
        private final Map<String, Set<SseClient>> topics = new HashMap<>();
        private final List<Set<SseClient>> byTick = Stream.<Set<SseClient>>generate(HashSet::new).limit(TICKS).toList();
        private final Queue<Runnable> outgoing = new ArrayDeque<>();
        private boolean writing;
        private int tick;

        Loop() {
            // without one in tests
            if (context != null) {
                context.owner().setPeriodic(TICK_MILLIS, timer -> heartbeat());
                loops.add(this);
            }
        }

        private void heartbeat() {
            tick = (tick + 1) % TICKS;
            List.copyOf(byTick.get(tick)).forEach(SseClient::heartbeat);
        }

        private void add(SseClient client) {
            byTick.get(client.tick()).add(client);
            topics.computeIfAbsent(client.topic(), key -> new HashSet<>()).add(client);
        }

        private void send(Map<String, Buffer> events, Runnable sent) {
            events.forEach((topic, buffer) -> topics.getOrDefault(topic, Set.of())
                    .forEach(client -> outgoing.add(() -> client.send(buffer))));
            outgoing.add(sent);
        }

        /** Runs an action on the event loop, and then what it has to write. Any thread may call it. */
        void run(Runnable action) {
            context.runOnContext(task -> {
                action.run();
                if (!writing) {
                    write();
                }
            });
        }

        private void write() {
            for (int i = 0; i < WRITES_AT_ONCE && !outgoing.isEmpty(); i++) {
                outgoing.remove().run();
            }
            writing = !outgoing.isEmpty();
            if (writing) {
                context.runOnContext(task -> write());
            }
        }

        /** Removes a client, if it is not removed already. */
        void remove(SseClient client) {
            if (byTick.get(client.tick()).remove(client)) {
                Set<SseClient> ofTopic = topics.get(client.topic());
                ofTopic.remove(client);
                if (ofTopic.isEmpty()) {
                    topics.remove(client.topic());
                }
                decrease(byTopic, client.topic());
                decrease(byAddress, client.address());
                count.decrementAndGet();
            }
        }

        /** Runs an action on the event loop {@value #LATER_MILLIS} ms later. */
        void later(Runnable action) {
            context.owner().setTimer(LATER_MILLIS, timer -> action.run());
        }
    }

    private static void decrease(Map<String, Integer> counts, String key) {
        counts.computeIfPresent(key, (same, number) -> number == 1 ? null : number - 1);
    }

    /** How many clients may be connected at once. */
    public void setMaxClients(int maxClients) {
        this.maxClients = maxClients;
    }

    /** How many of them one address may have, in percent. 100 by default. */
    public void setClientShare(int percent) {
        share = percent;
    }

    /** The proxies whose X-Forwarded-For names the address: see {@link ClientAddress}. None by default. */
    public void setTrustedProxies(String proxies) {
        addresses = new ClientAddress(proxies);
    }

    /** How many bytes may wait for all clients together. */
    public void setMaxBytes(int maxBytes) {
        this.maxBytes = maxBytes;
    }

    /**
     * Notes that an event with this id is sent. A new client begins with the highest id so far, so that it can resume before it
     * got an event. Any thread may call it.
     */
    public void advance(long id) {
        latestId.accumulateAndGet(id, Math::max);
    }

    /** The highest id that was sent to any client, or {@link #UNKNOWN_ID}. */
    long latestId() {
        return latestId.get();
    }

    /** How many clients are connected. Any thread may call it. */
    public int count() {
        return count.get();
    }

    /** The topics that have clients. Any thread may call it. */
    public Set<String> topics() {
        return byTopic.keySet();
    }

    /**
     * Adds the client of a request. Its response is opened later. Called on the event loop of its connection.
     *
     * @throws RejectedExecutionException if the limit is reached, or the process ends
     * @throws InvalidRequestException 429 if the limit of its address is reached
     */
    public SseClient add(Message request, String topic) throws InvalidRequestException {
        return add(((EventLoopMessage) request).getRequest(), topic);
    }

    SseClient add(HttpServerRequest request, String topic) throws InvalidRequestException {
        // known to shut() before it is asked whether this is shut
        Loop loop = current.get();
        if (count.incrementAndGet() > maxClients || shut) {
            count.decrementAndGet();
            throw new RejectedExecutionException("too many clients of events");
        }
        String address = addresses.of(request);
        if (byAddress.merge(address, 1, Integer::sum) > Math.max(1, maxClients * (long) share / 100)) {
            decrease(byAddress, address);
            count.decrementAndGet();
            throw InvalidRequestException.tooManyStreams();
        }
        SseClient client = new SseClient(this, loop, request, topic, address, ThreadLocalRandom.current().nextInt(TICKS));
        byTopic.merge(topic, 1, Integer::sum);
        loop.add(client);
        return client;
    }

    /** Adds to the number of bytes that wait for clients; negative when they are written or dropped. */
    void waits(int bytes) {
        waiting.addAndGet(bytes);
    }

    /** How many bytes wait for all clients together. */
    public long waiting() {
        return waiting.get();
    }

    /** Whether more bytes wait than the limit. */
    boolean isTooMuchWaiting() {
        return waiting.get() > maxBytes;
    }

    /**
     * Sends events to the clients of each topic. Any thread may call it.
     *
     * @param events the text of events, by topic
     * @return completes when they are written
     */
    public CompletableFuture<Void> send(Map<String, String> events) {
        Map<String, Buffer> buffers = new HashMap<>();
        events.forEach((topic, text) -> buffers.put(topic, SseClient.buffer(text)));
        return CompletableFuture.allOf(loops.stream().map(loop -> {
            CompletableFuture<Void> sent = new CompletableFuture<>();
            loop.run(() -> loop.send(buffers, () -> sent.complete(null)));
            return sent;
        }).toArray(CompletableFuture<?>[]::new));
    }

    /** Ends all responses with a last event that has the reason. Any thread may call it; returns at once. */
    public void endAll(String reason) {
        loops.forEach(loop -> loop.run(
                () -> loop.byTick.forEach(clients -> clients.forEach(client -> loop.outgoing.add(() -> client.end(reason))))));
    }

    /** Ends all responses and accepts no more clients, because the process ends. Any thread may call it; returns at once. */
    public void shut() {
        shut = true;
        endAll("stopping");
    }

    /** Runs an action on each event loop that has had a client. Any thread may call it. */
    void onLoops(Runnable action) {
        loops.forEach(loop -> loop.run(action));
    }
}
