package comments.http;

import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Stream;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Bounds the time in which a client of HTTP/2 sends a request, and takes a small answer: each stream holds its headers and its answer
 * until it is closed. Large answers, and those without an end, are watched by what sends them.
 *
 * <p>Only the event loop of the connection calls it. Nothing is allocated for a stream that is closed before the next look.
 */
final class HttpStreams {

    /** What a stream waits for, and since when. */
    private record Waiting(boolean isAnswered, long since) {
    }

    private final Http2Connection connection;
    private final IntConsumer reset;
    private final Http2Connection.PropertyKey request;
    private final Http2Connection.PropertyKey waiting;

    /**
     * Watches the streams of a connection.
     *
     * @param reset resets a stream by its id
     */
    HttpStreams(Http2Connection connection, IntConsumer reset) {
        this.connection = connection;
        this.reset = reset;
        request = connection.newKey();
        waiting = connection.newKey();
    }

    /** Notes the request of a stream. */
    void add(HttpServerRequest received) {
        Http2Stream stream = connection.stream(received.response().streamId());
        if (stream != null) {
            stream.setProperty(request, received);
        }
    }

    /** Resets each stream that has waited for its client longer than this. */
    void resetSlow(long nanos) {
        if (connection.numActiveStreams() == 0) {
            return;
        }
        long now = System.nanoTime();
        List<Integer> slow = new ArrayList<>();
        try {
            connection.forEachActiveStream(stream -> {
                if (isSlow(stream, now, nanos)) {
                    slow.add(stream.id());
                }
                return true;
            });
        } catch (Http2Exception e) {
            throw new IllegalStateException(e);
        }
        slow.forEach(reset::accept);
    }

    private boolean isSlow(Http2Stream stream, long now, long nanos) {
        boolean answered = isAnswered(stream.getProperty(request));
        if (!answered && !stream.state().remoteSideOpen()) {
            // its route runs, or its answer is watched elsewhere
            stream.removeProperty(waiting);
            return false;
        }
        Waiting former = stream.getProperty(waiting);
        if (former == null || former.isAnswered() != answered) {
            stream.setProperty(waiting, new Waiting(answered, now));
            return false;
        }
        return now - former.since() > nanos;
    }

    private static boolean isAnswered(HttpServerRequest received) {
        if (received == null) {
            return false;
        }
        HttpServerResponse response = received.response();
        return response.ended() && response.bytesWritten() < EventLoopConsumer.LARGE;
    }
}
