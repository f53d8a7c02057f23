package comments;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * Those who listen for new comments, of one post or of all, each with an answer that stays open.
 *
 * <p>They cost no thread: all that is sent to them is written by the event loop of the HTTP server, which is also the only
 * thread that adds and removes them. It writes to a few at a time, so that requests in between don't wait for thousands of
 * listeners.
 */
public class Listeners {

    /** Stands for all posts; no post has this id. */
    static final String ALL = "";

    private static final int HEARTBEAT_SECONDS = 15;
    private static final int TICK_MILLIS = 100;
    private static final int TICKS = HEARTBEAT_SECONDS * 1_000 / TICK_MILLIS;
    private static final int WRITES_AT_ONCE = 100;

    private record Letter(Listener to, Buffer events) {
    }

    // its keys are read by other threads
    private final Map<String, Set<Listener>> byPost = new ConcurrentHashMap<>();
    private final AtomicInteger count = new AtomicInteger();
    private final List<Set<Listener>> byTick =
            Stream.<Set<Listener>>generate(HashSet::new).limit(TICKS).toList();
    private final Queue<Letter> outgoing = new ArrayDeque<>();
    private boolean writing;
    private int tick;
    private int most = 10_000;
    private volatile Context loop;

    /** How many may listen at once. */
    public void setMost(int most) {
        this.most = most;
    }

    /** Where it is told what was pushed: when that connection is back, all are sent away, to come back for what they missed. */
    public void setConnections(PushConnections connections) {
        connections.whenConnectedAgain(() -> endAll("resume"));
    }

    /** How many listen now. */
    public int count() {
        return count.get();
    }

    /** The posts that somebody listens to; {@link #ALL} is one of them if somebody listens to all. Any thread may ask. */
    Set<String> posts() {
        return byPost.keySet();
    }

    /**
     * Adds one whose answer is still to be opened; null if there is no room.
     *
     * @param post the id of a post, or {@link #ALL}
     */
    Listener add(String post) {
        if (count.get() >= most) {
            return null;
        }
        if (loop == null) {
            loop = Vertx.currentContext();
            loop.owner().setPeriodic(TICK_MILLIS, timer -> heartbeat());
        }
        Listener listener = new Listener(this, post, ThreadLocalRandom.current().nextInt(TICKS));
        byTick.get(listener.tick()).add(listener);
        byPost.computeIfAbsent(post, key -> new HashSet<>()).add(listener);
        count.incrementAndGet();
        return listener;
    }

    /** Forgets one, who may be forgotten already. */
    void remove(Listener listener) {
        if (byTick.get(listener.tick()).remove(listener)) {
            Set<Listener> ofPost = byPost.get(listener.post());
            ofPost.remove(listener);
            if (ofPost.isEmpty()) {
                byPost.remove(listener.post());
            }
            count.decrementAndGet();
        }
    }

    private void heartbeat() {
        tick = (tick + 1) % TICKS;
        List.copyOf(byTick.get(tick)).forEach(Listener::heartbeat);
    }

    /** Sends events to all who listen to a post, by post. Any thread may call it; returns at once. */
    void tell(Map<String, Buffer> news) {
        Context loop = this.loop;
        if (loop != null) {
            loop.runOnContext(task -> {
                news.forEach((post, events) -> byPost.getOrDefault(post, Set.of())
                        .forEach(listener -> outgoing.add(new Letter(listener, events))));
                if (!writing) {
                    write();
                }
            });
        }
    }

    private void write() {
        for (int i = 0; i < WRITES_AT_ONCE && !outgoing.isEmpty(); i++) {
            Letter letter = outgoing.remove();
            letter.to().send(letter.events());
        }
        writing = !outgoing.isEmpty();
        if (writing) {
            loop.runOnContext(task -> write());
        }
    }

    /** Ends all answers with a last event that says why. Any thread may call it; returns at once. */
    void endAll(String reason) {
        Context loop = this.loop;
        if (loop != null) {
            loop.runOnContext(task -> byTick.forEach(listeners -> List.copyOf(listeners)
                    .forEach(listener -> listener.end(reason))));
        }
    }
}
