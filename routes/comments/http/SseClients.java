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
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.apache.camel.Message;

/**
 * The clients of server-sent events, each with a topic and an open response.
 *
 * <p>A client needs no thread: the event loop of the HTTP server writes all events, and is the only thread that adds and
 * removes clients. It writes to a few clients at a time, so that requests in between don't wait for thousands of writes. A
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

    // its keys are read by other threads
    private final Map<String, Set<SseClient>> byTopic = new ConcurrentHashMap<>();
    private final AtomicInteger count = new AtomicInteger();
    private final List<Set<SseClient>> byTick =
            Stream.<Set<SseClient>>generate(HashSet::new).limit(TICKS).toList();
    private final Queue<Runnable> outgoing = new ArrayDeque<>();
    private boolean writing;
    private int tick;
    private int maxClients = 10_000;
    private int share = 100;
    private int maxBytes = 64 << 20;
    private ClientAddress addresses = new ClientAddress("");
    private final Map<String, Integer> byAddress = new HashMap<>();
    private final AtomicLong waiting = new AtomicLong();
    private final AtomicLong latestId = new AtomicLong(UNKNOWN_ID);
    private volatile boolean shut;
    private volatile Context loop;

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
     * Adds the client of a request. Its response is opened later. Called on the event loop.
     *
     * @throws RejectedExecutionException if the limit is reached, or the process ends
     * @throws InvalidRequestException 429 if the limit of its address is reached
     */
    public SseClient add(Message request, String topic) throws InvalidRequestException {
        return add(((EventLoopMessage) request).getRequest(), topic);
    }

    SseClient add(HttpServerRequest request, String topic) throws InvalidRequestException {
        if (shut || count.get() >= maxClients) {
            throw new RejectedExecutionException("too many clients of events");
        }
        String address = addresses.of(request);
        if (byAddress.getOrDefault(address, 0) >= Math.max(1, maxClients * (long) share / 100)) {
            throw InvalidRequestException.tooManyStreams();
        }
        if (loop == null) {
            loop = Vertx.currentContext();
            loop.owner().setPeriodic(TICK_MILLIS, timer -> heartbeat());
        }
        SseClient client = new SseClient(this, request, topic, address, ThreadLocalRandom.current().nextInt(TICKS));
        byTick.get(client.tick()).add(client);
        byTopic.computeIfAbsent(topic, key -> new HashSet<>()).add(client);
        byAddress.merge(address, 1, Integer::sum);
        count.incrementAndGet();
        return client;
    }

    /** Removes a client, if it is not removed already. */
    void remove(SseClient client) {
        if (byTick.get(client.tick()).remove(client)) {
            Set<SseClient> ofTopic = byTopic.get(client.topic());
            ofTopic.remove(client);
            if (ofTopic.isEmpty()) {
                byTopic.remove(client.topic());
            }
            byAddress.compute(client.address(), (address, streams) -> streams == 1 ? null : streams - 1);
            count.decrementAndGet();
        }
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

    private void heartbeat() {
        tick = (tick + 1) % TICKS;
        List.copyOf(byTick.get(tick)).forEach(SseClient::heartbeat);
    }

    /**
     * Sends events to the clients of each topic. Any thread may call it.
     *
     * @param events the text of events, by topic
     * @return completes when they are written
     */
    public CompletableFuture<Void> send(Map<String, String> events) {
        if (loop == null) {
            return CompletableFuture.completedFuture(null);
        }
        CompletableFuture<Void> sent = new CompletableFuture<>();
        Map<String, Buffer> buffers = new HashMap<>();
        events.forEach((topic, text) -> buffers.put(topic, SseClient.buffer(text)));
        onLoop(() -> {
            buffers.forEach((topic, buffer) -> byTopic.getOrDefault(topic, Set.of())
                    .forEach(client -> outgoing.add(() -> client.send(buffer))));
            outgoing.add(() -> sent.complete(null));
        });
        return sent;
    }

    /** Ends all responses with a last event that has the reason. Any thread may call it; returns at once. */
    public void endAll(String reason) {
        onLoop(() -> byTick.forEach(clients -> clients.forEach(client -> outgoing.add(() -> client.end(reason)))));
    }

    /** Ends all responses and accepts no more clients, because the process ends. Any thread may call it; returns at once. */
    public void shut() {
        shut = true;
        endAll("stopping");
    }

    /** Runs an action on the event loop {@value #LATER_MILLIS} ms later. */
    void later(Runnable action) {
        loop.owner().setTimer(LATER_MILLIS, timer -> action.run());
    }

    // without a loop there was no client yet
    void onLoop(Runnable action) {
        Context loop = this.loop;
        if (loop != null) {
            loop.runOnContext(task -> {
                action.run();
                if (!writing) {
                    write();
                }
            });
        }
    }

    private void write() {
        for (int i = 0; i < WRITES_AT_ONCE && !outgoing.isEmpty(); i++) {
            outgoing.remove().run();
        }
        writing = !outgoing.isEmpty();
        if (writing) {
            loop.runOnContext(task -> write());
        }
    }
}
