package comments.http;

import comments.rabbitmq.FanoutConnectionFactory;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/**
 * Those who listen for new comments, of one post or of all, each with an answer that stays open.
 *
 * <p>They cost no thread: all that is sent to them is written by the event loop of the HTTP server, which is also the only
 * thread that adds and removes them. It writes to a few at a time, so that requests in between don't wait for thousands of
 * listeners; whoever has it write waits until it has, so that no more than that piles up.
 */
public class SseClients {

    /** Stands for all posts; no post has this id. */
    public static final String ALL = "";

    private static final int HEARTBEAT_SECONDS = 15;
    private static final int TICK_MILLIS = 100;
    private static final int TICKS = HEARTBEAT_SECONDS * 1_000 / TICK_MILLIS;
    private static final int WRITES_AT_ONCE = 100;
    private static final int LATER_MILLIS = 10_000;

    // its keys are read by other threads
    private final Map<String, Set<SseClient>> byPost = new ConcurrentHashMap<>();
    private final AtomicInteger count = new AtomicInteger();
    private final List<Set<SseClient>> byTick =
            Stream.<Set<SseClient>>generate(HashSet::new).limit(TICKS).toList();
    private final Queue<Runnable> outgoing = new ArrayDeque<>();
    private boolean writing;
    private int tick;
    private int most = 10_000;
    private int mostBytes = 64 << 20;
    private final AtomicLong waiting = new AtomicLong();
    private volatile boolean shut;
    private volatile Context loop;

    /** How many may listen at once. */
    public void setMost(int most) {
        this.most = most;
    }

    /** How many bytes may wait for all of them together. */
    public void setMostBytes(int mostBytes) {
        this.mostBytes = mostBytes;
    }

    /** Where it is told what was pushed: when that connection is back, all are sent away, to come back for what they missed. */
    public void setConnections(FanoutConnectionFactory connections) {
        connections.whenConnectedAgain(() -> endAll("resume"));
    }

    /** How many listen now. */
    public int count() {
        return count.get();
    }

    /** The posts that somebody listens to; {@link #ALL} is one of them if somebody listens to all. Any thread may ask. */
    public Set<String> posts() {
        return byPost.keySet();
    }

    /**
     * Adds one whose answer is still to be opened; null if there is no room.
     *
     * @param request his, on the event loop
     * @param post the id of a post, or {@link #ALL}
     */
    public SseClient add(HttpServerRequest request, String post) {
        if (shut || count.get() >= most) {
            return null;
        }
        if (loop == null) {
            loop = Vertx.currentContext();
            loop.owner().setPeriodic(TICK_MILLIS, timer -> heartbeat());
        }
        SseClient listener = new SseClient(this, request, post, ThreadLocalRandom.current().nextInt(TICKS));
        byTick.get(listener.tick()).add(listener);
        byPost.computeIfAbsent(post, key -> new HashSet<>()).add(listener);
        count.incrementAndGet();
        return listener;
    }

    /** Forgets one, who may be forgotten already. */
    void remove(SseClient listener) {
        if (byTick.get(listener.tick()).remove(listener)) {
            Set<SseClient> ofPost = byPost.get(listener.post());
            ofPost.remove(listener);
            if (ofPost.isEmpty()) {
                byPost.remove(listener.post());
            }
            count.decrementAndGet();
        }
    }

    /** Counts bytes that wait for one of them; fewer than 0 when they wait no more. */
    void waits(int bytes) {
        waiting.addAndGet(bytes);
    }

    /** How many bytes wait for all of them together. */
    public long waiting() {
        return waiting.get();
    }

    /** Whether more bytes wait for all of them than may. */
    boolean isTooMuchWaiting() {
        return waiting.get() > mostBytes;
    }

    private void heartbeat() {
        tick = (tick + 1) % TICKS;
        List.copyOf(byTick.get(tick)).forEach(SseClient::heartbeat);
    }

    /** Sends events to all who listen to a post, by post. Any thread may call it; what it returns is done when all are sent. */
    public CompletableFuture<Void> tell(Map<String, Buffer> news) {
        if (loop == null) {
            return CompletableFuture.completedFuture(null);
        }
        CompletableFuture<Void> told = new CompletableFuture<>();
        onLoop(() -> {
            news.forEach((post, events) -> byPost.getOrDefault(post, Set.of())
                    .forEach(listener -> outgoing.add(() -> listener.send(events))));
            outgoing.add(() -> told.complete(null));
        });
        return told;
    }

    /** Ends all answers with a last event that says why. Any thread may call it; returns at once. */
    public void endAll(String reason) {
        onLoop(() -> byTick.forEach(listeners -> listeners.forEach(listener -> outgoing.add(() -> listener.end(reason)))));
    }

    /** Ends all answers, and takes nobody any more: the process is about to end. Any thread may call it; returns at once. */
    public void shut() {
        shut = true;
        endAll("stopping");
    }

    /** Has the event loop do something a while later, such as when a slow one had the time to read his last event. */
    void later(Runnable action) {
        loop.owner().setTimer(LATER_MILLIS, timer -> action.run());
    }

    // nobody ever listened if there is no loop
    private void onLoop(Runnable action) {
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
