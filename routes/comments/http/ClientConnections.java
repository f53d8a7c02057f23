package comments.http;

import comments.http.ClientLimits.Client;
import comments.http.ClientLimits.Resource;
import comments.http.VertxInternals.Guard;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.SocketAddress;
import java.time.Duration;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The open connections of the HTTP server, each with its client, and what a client must send or take in time.
 *
 * <p>Only event loops call it, where a method says nothing else, and each for its own connections.
 */
final class ClientConnections {

    /** What a client must send or take in time. */
    interface Watched {

        /** Ends it if the client took longer than this. */
        void endIfSlow(long nanos);

        /** Answers it now if its body is not complete, because the process ends. */
        default void endUpload() {
            // by default it has no body
        }
    }

    private record Connected(Client client, Guard guard) {
    }

    /** What one event loop watches. Only its thread calls it, but for {@link #run}. */
    private final class Loop {

        private final Context context = Vertx.currentContext();
        private final Set<Guard> guards = new HashSet<>();
        private final Set<Watched> watched = new LinkedHashSet<>();

        Loop() {
            context.owner().setPeriodic(SWEEP_MILLIS, timer -> sweep());
            loops.add(this);
        }

        private void sweep() {
            List.copyOf(guards).forEach(guard -> guard.closeIfSlow(timeoutNanos));
            List.copyOf(watched).forEach(each -> each.endIfSlow(timeoutNanos));
        }

        void run(Runnable action) {
            context.runOnContext(task -> action.run());
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(ClientConnections.class);
    private static final long LOG_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final int SWEEP_MILLIS = 500;
    // of HTTP/2 (RFC 9113, 7)
    private static final long NO_ERROR = 0;
    private static final long REFUSED_STREAM = 7;

    private final ClientLimits limits;
    private final long timeoutNanos;
    private final Map<HttpConnection, Connected> open = new ConcurrentHashMap<>();
    private final List<Loop> loops = new CopyOnWriteArrayList<>();
    private final ThreadLocal<Loop> current = ThreadLocal.withInitial(Loop::new);
    private final AtomicLong lastLogged = new AtomicLong(System.nanoTime() - LOG_PAUSE_NANOS);

    /**
     * Has no connection yet.
     *
     * @param timeout how long a client may take to send a request, or to take a part of an answer
     */
    ClientConnections(ClientLimits limits, Duration timeout) {
        this.limits = limits;
        timeoutNanos = timeout.toNanos();
    }

    /** What clients hold, and may hold. Any thread may call it. */
    ClientLimits limits() {
        return limits;
    }

    /** Whether a client is connected. Any thread may call it. */
    boolean hasAny() {
        return !open.isEmpty();
    }

    /**
     * Counts a connection that the kernel has accepted. Called on the thread that accepts.
     *
     * @return what to run when it is closed, or null to close it now
     */
    Runnable accept(SocketAddress address) {
        Client client = limits.of(address);
        int status = limits.take(client, Resource.CONNECTIONS, 1);
        if (status == 0) {
            return () -> limits.give(client, Resource.CONNECTIONS, 1);
        }
        if (mayLog()) {
            LOG.warn("A new connection is closed, because {}", status == 429
                    ? "one address has its share of them: HTTP_CLIENT_SHARE. Is it a proxy for COMMENTS_TRUSTED_PROXIES?"
                    : "as many are open as may be: HTTP_MAX_CONNECTIONS");
        }
        return null;
    }

    /** Guards a connection from now on, until it is closed. */
    void opened(HttpConnection connection, HttpServerOptions options) {
        Client client = limits.of(connection.remoteAddress());
        Guard guard = VertxInternals.guard(connection, options,
                () -> limits.take(client, Resource.UNHANDLED, 1) == 0, () -> limits.give(client, Resource.UNHANDLED, 1),
                streams -> limits.give(client, Resource.STREAMS, -streams));
        open.put(connection, new Connected(client, guard));
        Loop loop = current.get();
        loop.guards.add(guard);
        connection.closeHandler(closed -> {
            open.remove(connection);
            loop.guards.remove(guard);
        });
    }

    /**
     * Refuses a request of HTTP/2 that is one too many, or has too many headers: a stream holds all of them until it is closed. For
     * HTTP/1, the guard of the connection does it. Returns whether the request is refused.
     */
    boolean refuses(HttpServerRequest request) {
        Connected connected = request.version() == HttpVersion.HTTP_2 ? open.get(request.connection()) : null;
        if (connected == null) {
            return false;
        }
        connected.guard().received(request);
        HttpServerResponse response = request.response();
        if (limits.excess(connected.client(), Resource.STREAMS, 0) != 0) {
            response.reset(REFUSED_STREAM);
            return true;
        }
        int headers = 0;
        for (Iterator<?> each = request.headers().iterator(); each.hasNext(); each.next()) {
            headers++;
        }
        if (headers > Guard.MAX_HEADERS) {
            // without a body, which would wait for the client
            response.setStatusCode(431).end().onComplete(sent -> response.reset(NO_ERROR));
            return true;
        }
        return false;
    }

    /** The client of a request. */
    Client client(HttpServerRequest request) {
        Connected connected = open.get(request.connection());
        // null if it is closed already
        return limits.of(request, connected == null ? limits.of(request.remoteAddress()) : connected.client());
    }

    /** Asks the client of a request to use another connection: HTTP/1 with the next answer, HTTP/2 when no answer is owed. */
    void askToLeave(HttpServerRequest request) {
        Connected connected = open.get(request.connection());
        if (request.version() != HttpVersion.HTTP_2) {
            request.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
        } else if (connected != null) {
            connected.guard().goAwayWhenAnswered();
        }
    }

    /** Drops the rest of the body of a request that is refused, as soon as it comes. */
    void dropBody(HttpServerRequest request) {
        Connected connected = open.get(request.connection());
        if (connected != null) {
            connected.guard().dropBody();
        }
    }

    /** Watches what a client must send or take in time. */
    void watch(Watched each) {
        current.get().watched.add(each);
    }

    /** Ends the watch. */
    void unwatch(Watched each) {
        current.get().watched.remove(each);
    }

    /** Answers all requests whose bodies are not complete. Any thread may call it. */
    void endUploads() {
        loops.forEach(loop -> loop.run(() -> List.copyOf(loop.watched).forEach(Watched::endUpload)));
    }

    /** Logs the failure of a connection. Any thread may call it. */
    void failed(Throwable failure) {
        if (mayLog()) {
            LOG.error("A connection failed", failure);
        }
    }

    // clients can cause any number of lines
    private boolean mayLog() {
        long now = System.nanoTime();
        long last = lastLogged.get();
        return now - last >= LOG_PAUSE_NANOS && lastLogged.compareAndSet(last, now);
    }
}
