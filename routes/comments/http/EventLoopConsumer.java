package comments.http;

import comments.errors.Leftovers;
import comments.http.ClientLimits.Client;
import comments.http.ClientLimits.Resource;
import comments.observe.PipelineMetrics;
import io.netty.buffer.Unpooled;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePattern;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.Suspendable;
import org.apache.camel.component.platform.http.PlatformHttpEndpoint;
import org.apache.camel.component.platform.http.spi.Method;
import org.apache.camel.component.platform.http.spi.PlatformHttpConsumer;
import org.apache.camel.spi.HeaderFilterStrategy;
import org.apache.camel.support.DefaultConsumer;
import org.apache.camel.support.MessageHelper;
import org.apache.camel.support.http.HttpUtil;

/**
 * Serves one path by a route that runs on the event loop of the HTTP server, and answers when the exchange is done, on
 * any thread. Camel's own consumer holds a worker thread for each request until its route ends.
 *
 * <p>Only for routes that never block, with a fixed path, and whose request and response bodies fit into memory. The body is a
 * byte array. The body of an answer may be an {@link OpenResponse} instead, which stays open after the exchange is done. The
 * headers are those of platform-http, without query parameters; they are made when a step first reads them.
 */
final class EventLoopConsumer extends DefaultConsumer implements PlatformHttpConsumer, Suspendable {

    /** The body of a response that stays open after its exchange is done. */
    interface OpenResponse {

        /** Takes over a response whose status and headers are set, and must end it. Called on the event loop. */
        void open(HttpServerResponse response);
    }

    /** The answers of one event loop. One task writes all answers that are ready. */
    private static final class Outbox {

        private record Answer(Received received, Exchange exchange, EventLoopConsumer consumer) {
        }

        private final Queue<Answer> ready = new ConcurrentLinkedQueue<>();
        private final AtomicBoolean scheduled = new AtomicBoolean();
        private final Context loop;

        Outbox(Context loop) {
            this.loop = loop;
        }

        void add(Received received, Exchange exchange, EventLoopConsumer consumer) {
            ready.add(new Answer(received, exchange, consumer));
            if (!scheduled.get() && scheduled.compareAndSet(false, true)) {
                loop.runOnContext(task -> writeAll());
            }
        }

        private void writeAll() {
            scheduled.set(false);
            for (Answer answer = ready.poll(); answer != null; answer = ready.poll()) {
                answer.consumer().write(answer.received(), answer.exchange());
            }
        }
    }

    /** Bytes at which an answer counts until it is sent. */
    static final int LARGE = 16 << 10;

    private final HttpEngine engine;
    private final ClientConnections connections;
    private final Set<Method> methods;
    private final Resource counted;
    // of the event loop that is the current thread
    private final ThreadLocal<Outbox> outbox = ThreadLocal.withInitial(() -> new Outbox(Vertx.currentContext()));
    private HttpEngine.Admission admission;

    EventLoopConsumer(PlatformHttpEndpoint endpoint, Processor processor, HttpEngine engine, Set<Method> methods) {
        super(endpoint, processor);
        this.engine = engine;
        connections = engine.connections();
        this.methods = methods;
        // a stream has no HEAD
        counted = methods.contains(Method.HEAD) ? Resource.READS : Resource.REQUESTS;
    }

    @Override
    public PlatformHttpEndpoint getEndpoint() {
        return (PlatformHttpEndpoint) super.getEndpoint();
    }

    @Override
    protected void doStart() throws Exception {
        super.doStart();
        admission = engine.admission(getEndpoint().getPath(), methods);
        engine.add(getEndpoint().getPath(), methods, this);
    }

    @Override
    protected void doStop() throws Exception {
        engine.remove(this);
        super.doStop();
    }

    /**
     * Handles a request whose headers are read. Called on the event loop.
     *
     * @param path without empty segments and dots
     */
    void handle(HttpServerRequest request, String path) {
        if (!isStarted() || isSuspended()) {
            engine.refuse(request);
            return;
        }
        if (request.method() == HttpMethod.GET || request.method() == HttpMethod.HEAD) {
            // a cache must revalidate: a comment that is missing now may appear in a moment
            // Camel filters this header from a route's answer
            request.response().putHeader(HttpHeaders.CACHE_CONTROL, "no-cache");
        }
        String length = request.headers().get(HttpHeaders.CONTENT_LENGTH);
        if (length != null && Long.parseLong(length) > engine.maxBody()) {
            connections.dropBody(request);
            HttpProblems.answerTooLarge(request);
            return;
        }
        new Received(request, path, connections.client(request)).read();
    }

    /** A request, and its body as far as it has come. */
    private final class Received implements ClientConnections.Watched {

        private final HttpServerRequest request;
        private final String path;
        private final Client client;
        private final long began = System.nanoTime();
        private byte[] keyHash;
        private Buffer body;
        private int bytes;
        // the rest of its body is dropped
        private boolean refused;

        Received(HttpServerRequest request, String path, Client client) {
            this.path = path;
            this.request = request;
            this.client = client;
        }

        void read() {
            request.handler(this::add).endHandler(end -> process()).exceptionHandler(closed -> drop());
            connections.watch(this);
            ClientLimits limits = connections.limits();
            int excess = limits.excess(client, Resource.BYTES, 1);
            int status = excess != 0 ? excess : limits.take(client, counted, 1);
            if (status != 0) {
                refused = true;
                connections.dropBody(request);
                countRead(status, 0);
                answerBusy(request, status);
                return;
            }
            try {
                keyHash = engine.admit(request, client, admission);
            } catch (InvalidRequestException | RejectedExecutionException e) {
                refuse();
                countRead(e instanceof InvalidRequestException invalid ? invalid.status() : 503, 0);
                HttpProblems.answerRefused(request, e);
            }
        }

        private void add(Buffer part) {
            if (refused) {
                return;
            }
            if (bytes + part.length() > engine.maxBody()) {
                refuse();
                HttpProblems.answerTooLarge(request);
                return;
            }
            int status = connections.limits().take(client, Resource.BYTES, part.length());
            if (status != 0) {
                refuse();
                HttpProblems.answerBusyAndClose(request, status);
                return;
            }
            bytes += part.length();
            body = body == null ? part : body.appendBuffer(part);
        }

        private void refuse() {
            refused = true;
            connections.dropBody(request);
            body = null;
            giveBytes();
            connections.limits().give(client, counted, 1);
        }

        private void giveBytes() {
            connections.limits().give(client, Resource.BYTES, bytes);
            bytes = 0;
        }

        private void process() {
            connections.unwatch(this);
            if (refused) {
                return;
            }
            try {
                EventLoopConsumer.this.process(this, body == null ? new byte[0] : body.getBytes());
            } finally {
                body = null;
                giveBytes();
            }
        }

        // the connection was closed, or the stream reset, before the end of the body
        private void drop() {
            connections.unwatch(this);
            if (!refused) {
                refuse();
            }
        }

        // a connection has a guard for HTTP/1 requests
        @Override
        public void endIfSlow(long nanos) {
            if (request.version() == HttpVersion.HTTP_2 && System.nanoTime() - began > nanos) {
                request.response().reset();
                drop();
            }
        }

        @Override
        public void endUpload() {
            if (!refused) {
                connections.unwatch(this);
                refuse();
                HttpProblems.answerAndClose(request, 503);
            }
        }
    }

    private void process(Received received, byte[] body) {
        Exchange exchange = createExchange(false);
        exchange.setPattern(ExchangePattern.InOut);
        Message message = new EventLoopMessage(exchange, received.request, received.path, admission != null, received.keyHash);
        message.setBody(body);
        exchange.setMessage(message);
        try {
            createUoW(exchange);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        Outbox answers = outbox.get();
        try {
            getAsyncProcessor().process(exchange, doneSync -> answers.add(received, exchange, this));
        } catch (Error e) {
            Leftovers.fail(exchange, e);
        }
    }

    /** Writes the answer, and releases the exchange. Never throws, because other answers wait behind it. */
    private void write(Received received, Exchange exchange) {
        HttpServerResponse response = received.request.response();
        try {
            if (!response.ended() && !response.closed()) {
                end(received, response, exchange);
            }
        } catch (RuntimeException e) {
            getExceptionHandler().handleException("The answer can't be written", exchange, e);
            HttpProblems.answer(response, 500);
        } finally {
            connections.limits().give(received.client, counted, 1);
            countRead(response.getStatusCode(), System.nanoTime() - received.began);
            doneUoW(exchange);
            releaseExchange(exchange, false);
        }
    }

    private void countRead(int status, long nanos) {
        if (counted == Resource.READS) {
            PipelineMetrics.read(status, nanos);
        }
    }

    private void end(Received received, HttpServerResponse response, Exchange exchange) {
        // other requests of an HTTP/2 connection may still wait for their answers
        if (engine.isLeaving() && response.streamId() < 0) {
            response.putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE).endHandler(written -> received.request.connection().close());
        }
        if (exchange.getException() != null && !isStarted()) {
            engine.refuse(received.request);
            return;
        }
        if (exchange.getException() != null) {
            getExceptionHandler().handleException("The route failed", exchange, exchange.getException());
            HttpProblems.answer(response, 500);
            return;
        }
        Message message = exchange.getMessage();
        OpenResponse open = message.getBody() instanceof OpenResponse answer ? answer : null;
        byte[] body = open == null ? message.getBody(byte[].class) : null;
        int status = HttpUtil.determineResponseCode(exchange, open == null ? body : open);
        if ((status == 429 || status == 503) && SseClient.isRequested(received.request)) {
            SseClient.sendAwayBusy(received.request);
            return;
        }
        boolean large = body != null && body.length >= LARGE && received.request.method() != HttpMethod.HEAD;
        // many reads can be in progress when the first of their answers begins to wait for the client
        if (large && received.request.method() == HttpMethod.GET) {
            int excess = connections.limits().excess(received.client, Resource.BYTES, body.length);
            if (excess != 0) {
                answerBusy(received.request, excess);
                return;
            }
        }
        response.setStatusCode(status);
        HeaderFilterStrategy filter = getEndpoint().getHeaderFilterStrategy();
        for (Map.Entry<String, Object> header : message.getHeaders().entrySet()) {
            String name = header.getKey();
            Object value = header.getValue();
            if (value instanceof Iterable<?> values) {
                values.forEach(each -> putHeader(response, filter, exchange, name, each));
            } else {
                putHeader(response, filter, exchange, name, value);
            }
        }
        // the filter drops it, as for every HTTP component
        String contentType = MessageHelper.getContentType(message);
        if (contentType != null) {
            response.headers().set(HttpHeaders.CONTENT_TYPE, contentType);
        }
        if (open != null) {
            open.open(response);
        } else if (body == null) {
            response.end();
        } else if (received.request.method() == HttpMethod.HEAD) {
            response.putHeader(HttpHeaders.CONTENT_LENGTH, Integer.toString(body.length)).end();
        } else if (large) {
            new LargeAnswer(received, body.length).send(body);
        } else {
            response.end(wrap(body, 0, body.length));
        }
    }

    private static void answerBusy(HttpServerRequest request, int status) {
        if (SseClient.isRequested(request)) {
            SseClient.sendAwayBusy(request);
        } else {
            HttpProblems.answerBusy(request, status);
        }
    }

    // Vert.x copies an array
    private static Buffer wrap(byte[] body, int from, int length) {
        return Buffer.buffer(Unpooled.wrappedBuffer(body, from, length));
    }

    /** An answer that a client may leave unread. The guard of its connection watches how it is taken in HTTP/1. */
    private final class LargeAnswer implements ClientConnections.Watched {

        // a write for each
        private static final int PART = 64 << 10;

        private final HttpServerRequest request;
        private final Client client;
        private int bytes;
        private long taken = System.nanoTime();

        LargeAnswer(Received received, int bytes) {
            request = received.request;
            client = received.client;
            this.bytes = bytes;
        }

        // a post is promised: its answer is sent whatever is held
        void send(byte[] body) {
            connections.limits().give(client, Resource.BYTES, -bytes);
            HttpServerResponse response = request.response();
            int sent = 0;
            if (response.streamId() >= 0) {
                connections.watch(this);
                sent = sendParts(response, body);
            }
            response.end(wrap(body, sent, body.length - sent)).onComplete(ended -> done());
        }

        // a stream of HTTP/2 tells only of parts that are sent, so the answer to a client that is slow needs several
        private int sendParts(HttpServerResponse response, byte[] body) {
            response.putHeader(HttpHeaders.CONTENT_LENGTH, Integer.toString(body.length));
            int sent = 0;
            for (; body.length - sent > PART; sent += PART) {
                response.write(wrap(body, sent, PART)).onSuccess(part -> taken = System.nanoTime());
            }
            return sent;
        }

        private void done() {
            connections.unwatch(this);
            connections.limits().give(client, Resource.BYTES, bytes);
            bytes = 0;
        }

        @Override
        public void endIfSlow(long nanos) {
            if (System.nanoTime() - taken > nanos) {
                VertxInternals.abandon(request);
                // its end is reported only when the reset is written
                done();
            }
        }
    }

    private static void putHeader(HttpServerResponse response, HeaderFilterStrategy filter, Exchange exchange, String name,
            Object value) {
        if (value != null && !filter.applyFilterToCamelHeaders(name, value, exchange)) {
            response.headers().add(name, value.toString());
        }
    }
}
