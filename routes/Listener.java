package comments;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * One who listens: the answer that stays open to him. He is added to the {@link Listeners} before what he missed is read
 * from the database, so that nothing is lost in between; what comes for him meanwhile waits for the answer.
 *
 * <p>Only the event loop calls it. One who reads so slowly that more than {@value #MOST_BEHIND} bytes wait for him gets a last
 * event, and no more.
 */
final class Listener implements OpenAnswer {

    static final int MOST_BEHIND = 1 << 20;

    private static final int RETRY_MILLIS = 1_000;
    private static final int RETRY_SPREAD_MILLIS = 3_000;

    private final Listeners listeners;
    private final String post;
    private final int tick;
    private HttpServerResponse response;
    private List<Buffer> early = new ArrayList<>();
    private int earlyBytes;
    private String over;

    Listener(Listeners listeners, String post, int tick) {
        this.listeners = listeners;
        this.post = post;
        this.tick = tick;
    }

    String post() {
        return post;
    }

    /** When his heartbeat is. */
    int tick() {
        return tick;
    }

    boolean isOpen() {
        return response != null;
    }

    /** Has something sent before all that comes live. */
    void catchUp(Buffer missed) {
        early.add(0, missed);
    }

    @Override
    public void open(HttpServerResponse response) {
        this.response = response;
        response.setChunked(true).setWriteQueueMaxSize(MOST_BEHIND).closeHandler(closed -> listeners.remove(this));
        List<Buffer> waiting = early;
        early = null;
        if (over != null) {
            response.end(lastEvent());
            return;
        }
        // not all at once, if all have to come back
        int retry = RETRY_MILLIS + ThreadLocalRandom.current().nextInt(RETRY_SPREAD_MILLIS);
        response.write(Buffer.buffer("retry: " + retry + "\n\n"));
        waiting.forEach(this::send);
    }

    /** Sends events, now or when the answer is open. */
    void send(Buffer events) {
        if (over != null) {
            return;
        }
        if (response == null) {
            earlyBytes += events.length();
            early.add(events);
            if (earlyBytes > MOST_BEHIND) {
                end("slow");
            }
        } else if (response.writeQueueFull()) {
            end("slow");
        } else {
            response.write(events);
        }
    }

    /** Shows that the connection is used. */
    void heartbeat() {
        if (response != null && !response.writeQueueFull()) {
            response.write(ServerSentEvent.HEARTBEAT);
        }
    }

    /** Sends a last event, which says why it is the last, now or when the answer is open. */
    void end(String reason) {
        if (over == null) {
            over = reason;
            listeners.remove(this);
            if (response != null) {
                response.end(lastEvent());
            }
        }
    }

    private Buffer lastEvent() {
        return Buffer.buffer(ServerSentEvent.of("end", "{\"reason\":\"" + over + "\"}"));
    }
}
