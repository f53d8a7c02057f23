package comments.http;

import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.SingleThreadEventLoop;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpHeadersFactory;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.EventExecutor;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.impl.HttpUtils;
import io.vertx.core.http.impl.VertxHttpRequestDecoder;
import io.vertx.core.http.impl.headers.HeadersMultiMap;
import io.vertx.core.impl.VertxInternal;
import io.vertx.core.net.SocketAddress;
import io.vertx.core.net.impl.ConnectionBase;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpRouter;

/**
 * All uses of internals of Vert.x 4.5 and camel-platform-http-vertx. Each method documents its reason.
 *
 * <p>With Vert.x 5 (planned for Camel 4.24) {@code VertxInternal} and {@code ConnectionBase} move to
 * {@code io.vertx.core.internal}: there {@code VertxInternal.acceptorEventLoopGroup()} and
 * {@code nettyEventLoopGroup()} replace the two groups, and {@code HttpConnection.shutdown(0, …)} may do what
 * {@link #closeUnwritten} does. HttpEngineTest, DrainTest and HttpLimitsTest test what each must do.
 */
final class VertxInternals {

    private VertxInternals() {
    }

    /**
     * Stops listening without closing open connections. Vert.x closes them together with the listening socket, and a request
     * that is just arriving gets no answer. Returns when the event loops have every connection that the kernel had accepted.
     */
    static void stopListening(Vertx vertx) throws InterruptedException, ExecutionException {
        // only sockets that listen are registered with these loops
        for (EventExecutor acceptor : ((VertxInternal) vertx).getAcceptorEventLoopGroup()) {
            SingleThreadEventLoop loop = (SingleThreadEventLoop) acceptor;
            loop.submit(() -> {
                List<Channel> listening = new ArrayList<>();
                loop.registeredChannelsIterator().forEachRemaining(listening::add);
                listening.forEach(Channel::close);
            }).get();
        }
        // the last accepted connection is a task of one of these loops, so it is connected when they run the next task
        for (EventExecutor loop : ((VertxInternal) vertx).getEventLoopGroup()) {
            loop.submit(() -> { }).get();
        }
    }

    /**
     * Listens with a server for each event loop. Vert.x binds the port once, and gives connections to them in turn. (A verticle for each
     * would do it, too, but an event loop that another context uses can then get two of them, and another loop none.)
     */
    static List<HttpServer> listen(Vertx vertx, Supplier<HttpServer> servers) throws InterruptedException, ExecutionException {
        List<HttpServer> all = new ArrayList<>();
        for (EventExecutor loop : ((VertxInternal) vertx).getEventLoopGroup()) {
            HttpServer server = servers.get();
            CompletableFuture<HttpServer> listening = new CompletableFuture<>();
            ((VertxInternal) vertx).createEventLoopContext((EventLoop) loop, null, Thread.currentThread().getContextClassLoader())
                    .runOnContext(task -> server.listen().onSuccess(listening::complete).onFailure(listening::completeExceptionally));
            all.add(listening.get());
        }
        return all;
    }

    /**
     * Calls a function for each connection that the kernel has accepted, before anything is allocated for it, and before a TLS
     * handshake. Vert.x calls {@code connectionHandler} after the handshake.
     *
     * @param accept returns what to run when the connection is closed, or null to close it now; called on one thread
     */
    static void onAccept(Vertx vertx, Function<SocketAddress, Runnable> accept) throws InterruptedException, ExecutionException {
        for (EventExecutor acceptor : ((VertxInternal) vertx).getAcceptorEventLoopGroup()) {
            SingleThreadEventLoop loop = (SingleThreadEventLoop) acceptor;
            loop.submit(() -> loop.registeredChannelsIterator().forEachRemaining(
                    listening -> listening.pipeline().addFirst(new Acceptor((VertxInternal) vertx, accept)))).get();
        }
    }

    private static final class Acceptor extends ChannelInboundHandlerAdapter {

        private final VertxInternal vertx;
        private final Function<SocketAddress, Runnable> accept;

        Acceptor(VertxInternal vertx, Function<SocketAddress, Runnable> accept) {
            this.vertx = vertx;
            this.accept = accept;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            Channel channel = (Channel) message;
            // null if the client has closed it already
            Runnable closed = channel.remoteAddress() == null ? null
                    : accept.apply(vertx.transport().convert(channel.remoteAddress()));
            if (closed == null) {
                channel.unsafe().closeForcibly();
                return;
            }
            channel.closeFuture().addListener(done -> closed.run());
            context.fireChannelRead(message);
        }
    }

    /**
     * Guards a connection. Called when it is made. In HTTP/2, a connection has up to 100 requests, which are counted, and each has a
     * time; otherwise the guard only closes a connection whose client reads nothing.
     *
     * @param hold takes a place for what the connection holds before its requests are handled
     * @param release gives it back
     * @param streams gets 1 for each request of HTTP/2, and -1 when its stream is closed
     */
    static Guard guard(HttpConnection connection, HttpServerOptions options, BooleanSupplier hold, Runnable release, IntConsumer streams) {
        ChannelHandlerContext context = ((ConnectionBase) connection).channelHandlerContext();
        Guard guard = new Guard(context.channel(), hold, release);
        if (context.handler() instanceof Http2ConnectionHandler http2) {
            Http2Connection all = http2.connection();
            guard.streams = new HttpStreams(all, stream -> resetStream(context, stream));
            all.addListener(new Http2ConnectionAdapter() {
                @Override
                public void onStreamActive(Http2Stream stream) {
                    streams.accept(1);
                }

                @Override
                public void onStreamClosed(Http2Stream stream) {
                    streams.accept(-1);
                    if (guard.goesAway && all.numActiveStreams() == 0 && !all.goAwaySent()) {
                        connection.goAway(Http2Error.NO_ERROR.code(), Integer.MAX_VALUE);
                    }
                }
            });
        }
        ChannelPipeline pipeline = context.pipeline();
        if (pipeline.get(VertxHttpRequestDecoder.class) != null) {
            guard.decoder = new CountingDecoder(options);
            pipeline.replace(VertxHttpRequestDecoder.class, "httpDecoder", guard.decoder);
            pipeline.addBefore(context.name(), "guard", guard);
        }
        return guard;
    }

    // as that of Vert.x, but with a bound on the number of headers, and an account of headers that are not complete
    private static final class CountingDecoder extends HttpRequestDecoder {

        private final CountedHeaders headers;
        // from the first line of a request to the end of its headers
        private boolean inHeaders;

        CountingDecoder(HttpServerOptions options) {
            this(options, new CountedHeaders());
        }

        private CountingDecoder(HttpServerOptions options, CountedHeaders headers) {
            super(new HttpDecoderConfig().setMaxInitialLineLength(options.getMaxInitialLineLength())
                    .setMaxHeaderSize(options.getMaxHeaderSize()).setMaxChunkSize(options.getMaxChunkSize())
                    .setInitialBufferSize(options.getDecoderInitialBufferSize()).setTrailersFactory(headers));
            this.headers = headers;
        }

        @Override
        protected HttpMessage createMessage(String[] line) {
            headers.count = 0;
            inHeaders = true;
            return new DefaultHttpRequest(HttpVersion.valueOf(line[2]), HttpMethod.valueOf(line[0]), line[1], headers.newHeaders());
        }

        boolean hasUnfinishedHeaders() {
            return inHeaders || actualReadableBytes() > 0;
        }
    }

    // Counts the headers of a request, with those that follow its body: the size of 4,000 empty ones is small, their objects are not.
    private static final class CountedHeaders implements HttpHeadersFactory {

        private int count;

        @Override
        public HttpHeaders newHeaders() {
            return new HeadersMultiMap(this::validate);
        }

        @Override
        public HttpHeaders newEmptyHeaders() {
            return newHeaders();
        }

        private void validate(CharSequence name, CharSequence value) {
            count++;
            if (count > Guard.MAX_HEADERS) {
                throw new TooLongHttpHeaderException("more than " + Guard.MAX_HEADERS + " headers");
            }
            HttpUtils.validateHeader(name, value);
        }
    }

    /**
     * Bounds what an HTTP/1 connection holds before its requests are handled: unfinished headers, and requests that are sent
     * before the answers to former ones. Also bounds the time in which a client sends a request, and takes a part of an answer.
     * Only the event loop of the connection calls it.
     */
    static final class Guard extends ChannelDuplexHandler {

        /** The largest number of headers of a request. */
        static final int MAX_HEADERS = 100;

        private static final int MAX_UNANSWERED = 256;

        private final Channel channel;
        private final BooleanSupplier hold;
        private final Runnable release;
        private int unanswered;
        // between the headers of a request and the end of its body
        private boolean inBody;
        private boolean hasRead;
        private boolean paused;
        private boolean holds;
        private boolean drops;
        private boolean closed;
        private boolean goesAway;
        // when an unfinished request was first seen, or 0
        private long unfinishedSince;
        // when a request that is not read on yet began to wait for the answer to a former one, or 0
        private long waitingSince;
        // of HTTP/1
        private CountingDecoder decoder;
        // of HTTP/2
        private HttpStreams streams;
        private Object unsent;
        private long unsentProgress;
        private long unsentSince;

        private Guard(Channel channel, BooleanSupplier hold, Runnable release) {
            this.channel = channel;
            this.hold = hold;
            this.release = release;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            hasRead = true;
            if (message instanceof HttpRequest) {
                decoder.inHeaders = false;
                inBody = true;
                unfinishedSince = 0;
                unanswered++;
                if (unanswered > 1 || holds || !channel.isWritable()) {
                    began();
                }
            }
            if (message instanceof LastHttpContent) {
                inBody = false;
                unfinishedSince = 0;
                drops = false;
            }
            if (closed || drops) {
                ReferenceCountUtil.release(message);
            } else {
                context.fireChannelRead(message);
            }
        }

        // the request had unfinished headers, or follows one whose answer is not complete or not taken
        private void began() {
            if (unanswered == 1) {
                release();
            } else if (unanswered > MAX_UNANSWERED || !holds()) {
                close();
            }
            if (unanswered > 1 || !channel.isWritable()) {
                paused = true;
                waitingSince = unanswered > 1 ? System.nanoTime() : 0;
                channel.config().setAutoRead(false);
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            // the end of a TLS handshake, for one, brings no byte of a request
            boolean inHeaders = !hasRead && !inBody && decoder.hasUnfinishedHeaders();
            if ((inHeaders || inBody) && unfinishedSince == 0) {
                unfinishedSince = System.nanoTime();
            }
            if (inHeaders && !closed && !holds()) {
                close();
            }
            hasRead = false;
            context.fireChannelReadComplete();
        }

        private boolean holds() {
            if (!holds) {
                holds = hold.getAsBoolean();
            }
            return holds;
        }

        private void release() {
            if (holds) {
                holds = false;
                release.run();
            }
        }

        private void close() {
            closed = true;
            channel.unsafe().close(channel.voidPromise());
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            closed = true;
            release();
            context.fireChannelInactive();
        }

        @Override
        public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
            // 100 Continue, which is no answer, is of this class
            if (message instanceof LastHttpContent && !(message instanceof DefaultFullHttpResponse)) {
                unanswered--;
                if (paused) {
                    waitingSince = unanswered > 1 ? System.nanoTime() : 0;
                }
            }
            context.write(message, promise);
            if (paused) {
                resume();
            }
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext context) {
            resume();
            context.fireChannelWritabilityChanged();
        }

        private void resume() {
            if (paused && unanswered <= 1 && channel.isWritable()) {
                paused = false;
                release();
                channel.config().setAutoRead(true);
            }
        }

        /**
         * Drops the rest of the body of the request that is being handled, before Vert.x copies it. If requests follow that request, its
         * body is complete, and the body that is being received is another one's.
         */
        void dropBody() {
            drops = inBody && unanswered == 1;
        }

        /**
         * Asks the client of an HTTP/2 connection to use another one, as soon as no answer is owed: some clients, such as that of JDK 17,
         * give up requests that are under way then. A request that comes nevertheless is answered.
         */
        void goAwayWhenAnswered() {
            goesAway = true;
        }

        /** Notes a request of HTTP/2. */
        void received(HttpServerRequest request) {
            streams.add(request);
        }

        private static boolean isOver(long since, long now, long nanos) {
            return since != 0 && now - since > nanos;
        }

        /**
         * Closes the connection if its client took longer than this for a request, or to take a part of an answer, or if a request
         * follows one that has had no answer for so long, such as a stream. In HTTP/2, only resets the stream of a request.
         */
        void closeIfSlow(long nanos) {
            long now = System.nanoTime();
            ChannelOutboundBuffer buffer = channel.unsafe().outboundBuffer();
            Object first = buffer == null ? null : buffer.current();
            if (first == null || first != unsent || buffer.currentProgress() != unsentProgress) {
                unsent = first;
                unsentProgress = first == null ? 0 : buffer.currentProgress();
                unsentSince = now;
            }
            if (first != null && now - unsentSince > nanos || isOver(unfinishedSince, now, nanos) || isOver(waitingSince, now, nanos)) {
                close();
            } else if (streams != null) {
                streams.resetSlow(nanos);
            }
        }
    }

    /** Closes a connection at once, and drops unwritten data: {@link HttpConnection#close} writes it first. */
    static void closeUnwritten(HttpConnection connection) {
        ((ConnectionBase) connection).channelHandlerContext().close();
    }

    /** Gives up an answer that its client does not take: resets its stream, or closes its HTTP/1 connection. */
    static void abandon(HttpServerRequest request) {
        if (request.response().streamId() < 0) {
            closeUnwritten(request.connection());
        } else {
            request.response().reset();
            if (request.connection() instanceof ConnectionBase connection) {
                resetStream(connection.channelHandlerContext(), request.response().streamId());
            }
        }
    }

    // Vert.x resets no stream whose answer has ended, while Netty may hold all of its body, because the client gives it no window
    private static void resetStream(ChannelHandlerContext context, int stream) {
        Http2ConnectionHandler http2 = (Http2ConnectionHandler) context.handler();
        if (http2.connection().stream(stream) != null) {
            http2.resetStream(context, stream, Http2Error.CANCEL.code(), context.newPromise());
            context.flush();
        }
    }

    /** The name by which camel-platform-http-vertx finds the router of a port in the registry. */
    static String routerName(int port) {
        return VertxPlatformHttpRouter.getRouterNameFromPort(port);
    }

    /** A router for Camel's own consumers, with our body handler: Camel's has no setting for a limit. */
    static VertxPlatformHttpRouter router(Vertx vertx, Router router, String name, Handler<RoutingContext> bodyHandler) {
        return new VertxPlatformHttpRouter(null, vertx, router, name) {
            @Override
            public Handler<RoutingContext> bodyHandler() {
                return bodyHandler;
            }
        };
    }
}
