package comments.http;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.net.impl.ConnectionBase;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * One who listens: the answer that stays open to him. He is added to the {@link SseClients} before what he missed is read
 * from the database, so that nothing is lost in between; what comes for him meanwhile waits for the answer.
 *
 * <p>One who reads so slowly that more than {@value #MOST_BEHIND} bytes wait for him gets a last event, and some seconds to
 * read up to it. While too many bytes wait for all together, whoever does not take his at once is cut off.
 *
 * <p>Only the event loop calls it, but for {@link #isThere} and {@link #catchUp}.
 */
public final class SseClient implements OpenResponse {

    static final int MOST_BEHIND = 1 << 20;

    private static final int RETRY_MILLIS = 1_000;
    private static final int RETRY_SPREAD_MILLIS = 3_000;

    private final SseClients listeners;
    private final HttpServerRequest request;
    private final HttpServerResponse response;
    private final String post;
    private final int tick;
    private final Instant joined = Instant.now();
    private final List<Buffer> early = new ArrayList<>();
    private Buffer missed;
    private boolean open;
    private int behind;
    private String over;

    SseClient(SseClients listeners, HttpServerRequest request, String post, int tick) {
        this.listeners = listeners;
        this.request = request;
        this.post = post;
        this.tick = tick;
        response = request.response().closeHandler(closed -> leave("gone"));
    }

    String post() {
        return post;
    }

    /** When his heartbeat is. */
    int tick() {
        return tick;
    }

    /** Whether he has not closed the connection yet. Any thread may ask. */
    public boolean isThere() {
        return !response.closed();
    }

    /**
     * Has something sent before all that comes live. Any thread may call it, once, before it hands over the answer that is
     * opened then.
     */
    public void catchUp(Buffer missed) {
        this.missed = missed;
    }

    @Override
    public void open(HttpServerResponse response) {
        open = true;
        response.setChunked(true);
        if (over != null) {
            response.end(lastEvent());
            return;
        }
        taken(behind);
        // not all at once, if all have to come back
        int retry = RETRY_MILLIS + ThreadLocalRandom.current().nextInt(RETRY_SPREAD_MILLIS);
        // without an event, but who hears none comes back with it, too
        long id = ChronoUnit.MICROS.between(Instant.EPOCH, joined);
        send(Buffer.buffer("id: " + id + "\nretry: " + retry + "\n\n"));
        if (missed != null) {
            send(missed);
            missed = null;
        }
        List<Buffer> waiting = List.copyOf(early);
        early.clear();
        waiting.forEach(this::send);
    }

    /** Sends events, now or when the answer is open. */
    void send(Buffer events) {
        if (over != null) {
            return;
        }
        if (behind > MOST_BEHIND) {
            end("slow");
            return;
        }
        behind += events.length();
        listeners.waits(events.length());
        if (open) {
            response.write(events).onComplete(written -> taken(events.length()));
        } else {
            early.add(events);
        }
        if (listeners.isTooMuchWaiting()) {
            cutOff();
        }
    }

    // what is not written when the connection closes fails afterwards, and is not counted any more
    private void taken(int bytes) {
        int counted = Math.min(bytes, behind);
        behind -= counted;
        listeners.waits(-counted);
    }

    /** Shows that the connection is used. */
    void heartbeat() {
        if (open && behind == 0) {
            response.write(ServerSentEvent.HEARTBEAT);
        }
    }

    /** Sends a last event, which says why it is the last, now or when the answer is open. */
    void end(String reason) {
        if (over != null) {
            return;
        }
        if (open) {
            over = reason;
            listeners.remove(this);
            response.end(lastEvent());
            if (behind > 0) {
                listeners.later(this::cutOff);
            }
        } else {
            leave(reason);
        }
    }

    // what waits for him goes with the connection
    private void cutOff() {
        if (behind == 0) {
            return;
        }
        if (!open) {
            end("slow");
            return;
        }
        leave("slow");
        if (response.streamId() < 0) {
            // that of Vert.x would write it first
            ((ConnectionBase) request.connection()).channelHandlerContext().close();
        } else {
            response.reset();
        }
    }

    /** Forgets him if his answer was never opened: he may be gone, or refused. */
    public void giveUp() {
        if (!open) {
            leave("gone");
        }
    }

    private void leave(String reason) {
        over = reason;
        listeners.remove(this);
        early.clear();
        taken(behind);
    }

    private Buffer lastEvent() {
        return Buffer.buffer(ServerSentEvent.of("end", "{\"reason\":\"" + over + "\"}"));
    }
}
