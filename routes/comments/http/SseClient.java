package comments.http;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A client of server-sent events, and its open response. {@link SseClients} adds the client before its missed events are read
 * from the database, so that no event is lost in between. Events that arrive meanwhile wait for the response.
 *
 * <p>A client for which more than {@value #MAX_BEHIND} bytes wait gets a last event, and some seconds to read up to it. While
 * too many bytes wait for all clients together, slow clients are disconnected.
 *
 * <p>Only the event loop of its connection calls it, except for {@link #isConnected} and {@link #catchUp}.
 */
public final class SseClient implements EventLoopConsumer.OpenResponse {

    static final int MAX_BEHIND = 1 << 20;

    private static final String MEDIA_TYPE = "text/event-stream";
    // a proxy that compresses holds events back until it has a block of them
    private static final String CACHE_CONTROL = "no-cache, no-transform";
    private static final int RETRY_MILLIS = 1_000;
    private static final int RETRY_SPREAD_MILLIS = 3_000;
    // any number of clients may be sent away, again and again
    private static final int BUSY_RETRY_MILLIS = 5_000;
    private static final int BUSY_RETRY_SPREAD_MILLIS = 10_000;

    private final SseClients clients;
    private final SseClients.Loop loop;
    private final HttpServerRequest request;
    private final HttpServerResponse response;
    private final String topic;
    private final String address;
    private final int tick;
    private final List<Buffer> early = new ArrayList<>();
    private long lastId;
    private String missed = "";
    private boolean open;
    private int behind;
    private String ended;

    SseClient(SseClients clients, SseClients.Loop loop, HttpServerRequest request, String topic, String address, int tick) {
        this.clients = clients;
        this.loop = loop;
        this.request = request;
        this.topic = topic;
        this.address = address;
        this.tick = tick;
        lastId = clients.latestId();
        response = request.response().closeHandler(closed -> leave("gone"));
    }

    /** Whether a request accepts nothing but a stream, as that of a browser's EventSource, which never tries again after a problem. */
    static boolean isRequested(HttpServerRequest request) {
        return request.method() == HttpMethod.GET && MEDIA_TYPE.equals(request.getHeader(HttpHeaders.ACCEPT));
    }

    /** Answers while a limit is reached: with a stream that ends at once, and says why, and when to come back. */
    static void sendAwayBusy(HttpServerRequest request) {
        sendAway(request, retry(BUSY_RETRY_MILLIS, BUSY_RETRY_SPREAD_MILLIS), "busy");
    }

    /** Answers in the same way while the process ends. */
    static void sendAwayStopping(HttpServerRequest request, boolean close) {
        HttpServerResponse response = request.response();
        if (close && response.streamId() < 0) {
            response.putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE).endHandler(written -> request.connection().close());
        }
        sendAway(request, retry(RETRY_MILLIS, RETRY_SPREAD_MILLIS), "stopping");
    }

    private static void sendAway(HttpServerRequest request, String retry, String reason) {
        request.response().putHeader(HttpHeaders.CONTENT_TYPE, MEDIA_TYPE).putHeader(HttpHeaders.CACHE_CONTROL, CACHE_CONTROL)
                .putHeader("X-Accel-Buffering", "no").end(buffer(retry + lastEvent(reason)));
    }

    // spreads the clients when all must reconnect
    private static String retry(int least, int spread) {
        return "retry: " + (least + ThreadLocalRandom.current().nextInt(spread)) + "\n";
    }

    String topic() {
        return topic;
    }

    String address() {
        return address;
    }

    /** The tick at which its heartbeat is sent. */
    int tick() {
        return tick;
    }

    /** Whether the client has not closed the connection. Any thread may call it. */
    public boolean isConnected() {
        return !response.closed();
    }

    /**
     * Sets events that are sent before all live events. Any thread may call it once, before the response is opened.
     *
     * @param since the id with which the client resumed
     */
    public void catchUp(String events, long since) {
        missed = events;
        lastId = Math.max(lastId, since);
    }

    static Buffer buffer(String events) {
        return Buffer.buffer(events.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void open(HttpServerResponse response) {
        open = true;
        response.setChunked(true);
        response.putHeader(HttpHeaders.CACHE_CONTROL, CACHE_CONTROL);
        if (ended != null) {
            response.end(buffer(lastEvent(ended)));
            return;
        }
        taken(behind);
        // the id has no event: a client that got none resumes with it, too. It follows what was missed, which would be lost if
        // the connection broke in between.
        send(buffer(retry(RETRY_MILLIS, RETRY_SPREAD_MILLIS) + "\n" + missed + "id: " + lastId + "\n\n"));
        missed = null;
        List<Buffer> waiting = List.copyOf(early);
        early.clear();
        waiting.forEach(this::send);
    }

    /** Sends events, now or when the response is open. */
    void send(Buffer events) {
        if (ended != null) {
            return;
        }
        if (behind > MAX_BEHIND) {
            end("slow");
            return;
        }
        behind += events.length();
        clients.waits(events.length());
        if (open) {
            response.write(events).onComplete(written -> taken(events.length()));
        } else {
            early.add(events);
        }
        if (clients.isTooMuchWaiting()) {
            disconnect();
        }
    }

    // a write that fails after the connection is closed is not counted again
    private void taken(int bytes) {
        int counted = Math.min(bytes, behind);
        behind -= counted;
        clients.waits(-counted);
    }

    /** Keeps an idle connection open. */
    void heartbeat() {
        if (open && behind == 0) {
            response.write(buffer(ServerSentEvent.HEARTBEAT));
        }
    }

    /** Sends a last event with the reason, now or when the response is open. */
    void end(String reason) {
        if (ended != null) {
            return;
        }
        if (open) {
            ended = reason;
            loop.remove(this);
            Buffer last = buffer(lastEvent(ended));
            behind += last.length();
            clients.waits(last.length());
            response.end(last).onComplete(written -> taken(last.length()));
            if (behind > 0) {
                loop.later(this::disconnect);
            }
        } else {
            leave(reason);
        }
    }

    // drops the bytes that wait
    private void disconnect() {
        if (behind == 0) {
            return;
        }
        if (!open) {
            end("slow");
            return;
        }
        leave("slow");
        VertxInternals.abandon(request);
    }

    /** Removes it if its response was never opened: the client has disconnected, or was refused. */
    public void giveUp() {
        if (!open) {
            leave("gone");
        }
    }

    private void leave(String reason) {
        ended = reason;
        loop.remove(this);
        early.clear();
        taken(behind);
    }

    private static String lastEvent(String reason) {
        return ServerSentEvent.of("end", "{\"reason\":\"" + reason + "\"}");
    }
}
