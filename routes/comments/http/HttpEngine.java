package comments.http;

import comments.observe.PipelineMetrics;
import io.netty.channel.Channel;
import io.netty.channel.SingleThreadEventLoop;
import io.netty.util.concurrent.EventExecutor;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.impl.VertxInternal;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.ExtendedStartupListener;
import org.apache.camel.Processor;
import org.apache.camel.component.platform.http.PlatformHttpEndpoint;
import org.apache.camel.component.platform.http.spi.Method;
import org.apache.camel.component.platform.http.spi.PlatformHttpConsumer;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpConsumer;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpEngine;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpRouter;
import org.apache.camel.support.TempDirHelper;

/**
 * The HTTP server of the REST routes. It listens once all routes run, if one of them is such a route: a process without one
 * opens no port. It answers what never reaches a route (an unknown path, a body or header that is too large) with a problem, too.
 *
 * <p>The endpoints that {@code comments.event-loop-endpoints} names, such as {@code POST /comments}, run on its event loop:
 * see {@link EventLoopConsumer}. All others are served as Camel's own engine serves them, by worker threads; no more than
 * {@value #MOST_ON_WORKERS} have or await one at once, and whoever comes then is refused.
 *
 * <p>Camel's own server ({@code camel.server.*}) would have to listen on 8080 whenever the management server runs beside
 * it: its engine asks the registry for the one server there is, and finds two.
 */
public final class HttpEngine extends VertxPlatformHttpEngine {

    private static final int IDLE_TIMEOUT_SECONDS = 75;
    // requests that worker threads have, or that wait for one of them; one more is refused
    private static final int MOST_ON_WORKERS = 1_000;
    private static final String ON_WORKER = "onWorker";
    private static final Set<HttpMethod> READING = Set.of(HttpMethod.GET, HttpMethod.HEAD);
    private static final String UPLOADS = "${java.io.tmpdir}/camel/camel-tmp-#uuid#/";

    // by path, then by method
    private final Map<String, Map<String, EventLoopConsumer>> eventLoopConsumers = new ConcurrentHashMap<>();
    private Set<String> eventLoopEndpoints;
    private String host;
    private int port;
    private int maxBody;
    private Vertx vertx;
    private Router router;
    private HttpServer server;
    private final Set<HttpConnection> connections = ConcurrentHashMap.newKeySet();
    private final AtomicInteger pending = new AtomicInteger();
    private final AtomicInteger onWorkers = new AtomicInteger();
    private volatile boolean draining;
    private volatile boolean leaving;

    @Override
    protected void doInit() throws Exception {
        super.doInit();
        getCamelContext().addStartupListener(new FirstListening());
        host = property("HTTP_HOST");
        port = Integer.parseInt(property("HTTP_PORT"));
        maxBody = Integer.parseInt(property("HTTP_MAX_BODY"));
        eventLoopEndpoints = Set.of(property("comments.event-loop-endpoints").split("\\s*,\\s*"));
    }

    private String property(String name) {
        return getCamelContext().resolvePropertyPlaceholders("{{" + name + "}}");
    }

    @Override
    public int getServerPort() {
        return port;
    }

    @Override
    public PlatformHttpConsumer createConsumer(PlatformHttpEndpoint endpoint, Processor processor) {
        if (router == null) {
            createRouter();
        }
        Set<Method> methods = EnumSet.copyOf(Method.parseList(endpoint.getHttpMethodRestrict()));
        if (methods.stream().anyMatch(method -> eventLoopEndpoints.contains(method + " " + endpoint.getPath()))) {
            return new EventLoopConsumer(endpoint, processor, this, methods);
        }
        // who may GET may ask for the headers alone (RFC 9110, 9.1)
        if (methods.contains(Method.GET) && methods.add(Method.HEAD)) {
            endpoint.setHttpMethodRestrict(methods.stream().map(Method::name).collect(Collectors.joining(",")));
        }
        // the other paths have the pages
        boolean comments = endpoint.getPath().startsWith("/comments");
        return new VertxPlatformHttpConsumer(endpoint, processor, getHandlers(),
                VertxPlatformHttpRouter.getRouterNameFromPort(port)) {
            @Override
            protected void doStart() throws Exception {
                super.doStart();
                listenOnceAllRuns();
            }

            @Override
            protected void handleRequest(RoutingContext context) {
                if (draining || isSuspended()) {
                    refuse(context.request());
                } else if (onWorkers.get() >= MOST_ON_WORKERS) {
                    if (comments) {
                        PipelineMetrics.read(503, 0);
                    }
                    HttpProblems.answerBusy(context.response());
                } else {
                    // may be kept, but not used without asking: what is not there yet may be there in a moment
                    context.response().putHeader("Cache-Control", "no-cache");
                    super.handleRequest(context);
                }
            }

            // what a caller who leaves early began to send never comes to its end: it is not counted before it does
            @Override
            protected Future<Void> processHttpRequest(Exchange exchange, RoutingContext context) {
                return super.processHttpRequest(exchange, context).onSuccess(read -> {
                    exchange.setProperty(ON_WORKER, System.nanoTime());
                    onWorkers.incrementAndGet();
                });
            }

            @Override
            public void releaseExchange(Exchange exchange, boolean autoRelease) {
                Long began = (Long) exchange.removeProperty(ON_WORKER);
                if (began != null) {
                    onWorkers.decrementAndGet();
                    if (comments) {
                        PipelineMetrics.read(exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, 500, Integer.class),
                                System.nanoTime() - began);
                    }
                }
                super.releaseExchange(exchange, autoRelease);
            }
        };
    }

    private final class FirstListening implements ExtendedStartupListener {

        @Override
        public void onCamelContextStarted(CamelContext context, boolean alreadyStarted) {
            // not all routes run yet
        }

        @Override
        public void onCamelContextFullyStarted(CamelContext context, boolean alreadyStarted) throws Exception {
            if (router != null) {
                listen();
            }
        }
    }

    private void createRouter() {
        vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true)
                .setWorkerPoolSize(Math.max(VertxOptions.DEFAULT_WORKER_POOL_SIZE, Integer.parseInt(property("COMMENTS_READERS")))));
        router = Router.router(vertx);
        String uploads = TempDirHelper.resolveTempDir(getCamelContext(), null, UPLOADS);
        HttpProblems.answerErrors(router);
        String name = VertxPlatformHttpRouter.getRouterNameFromPort(port);
        getCamelContext().getRegistry().bind(name, new VertxPlatformHttpRouter(null, vertx, router, name) {
            @Override
            public Handler<RoutingContext> bodyHandler() {
                BodyHandler handler = BodyHandler.create(uploads).setBodyLimit(maxBody)
                        .setDeleteUploadedFilesOnEnd(true);
                return context -> {
                    context.request().resume();
                    // the body of a GET has no meaning, and a form in it would be refused with a 500
                    if (READING.contains(context.request().method())) {
                        context.next();
                    } else {
                        handler.handle(context);
                    }
                };
            }
        });
    }

    /**
     * Refuses all requests from now on. Connections stay open: a caller whose is closed opens another, and the kernel resets what
     * it has taken, and we have not yet, when we stop listening.
     */
    public void drain() {
        draining = true;
    }

    /**
     * Takes no more connections, and closes those that are there with their next answer. (Vert.x closes all of them together
     * with the socket that it listens on, and what a caller has just sent would get no answer.)
     */
    public void stopListening() throws InterruptedException, ExecutionException {
        if (vertx == null) {
            return;
        }
        // only what listens is registered with these loops
        for (EventExecutor acceptor : ((VertxInternal) vertx).getAcceptorEventLoopGroup()) {
            SingleThreadEventLoop loop = (SingleThreadEventLoop) acceptor;
            loop.submit(() -> {
                List<Channel> listening = new ArrayList<>();
                loop.registeredChannelsIterator().forEachRemaining(listening::add);
                listening.forEach(Channel::close);
            }).get();
        }
        // a connection that was accepted last is a task of one of these by now, and connected once they have come to the next
        for (EventExecutor loop : vertx.nettyEventLoopGroup()) {
            loop.submit(() -> { }).get();
        }
        leaving = true;
    }

    /** Whether a caller is connected. */
    public boolean isConnected() {
        return !connections.isEmpty();
    }

    /** Whether each connection must be closed with its next answer. */
    boolean isLeaving() {
        return leaving;
    }

    /** Counts the requests on the event loop that are not answered. */
    public AtomicInteger pending() {
        return pending;
    }

    /** Whether every request is answered. */
    public boolean isIdle() {
        return pending.get() == 0 && onWorkers.get() == 0;
    }

    /** The largest body that is taken, in bytes. */
    int maxBody() {
        return maxBody;
    }

    /** Lets a consumer have the requests of its path, as soon as it is started. */
    void add(String path, Set<Method> methods, EventLoopConsumer consumer) throws Exception {
        Map<String, EventLoopConsumer> byMethod = eventLoopConsumers.computeIfAbsent(path, key -> new ConcurrentHashMap<>());
        for (Method method : methods) {
            byMethod.put(method.name(), consumer);
            // the router answers 405 to other methods, and has what names the path in another way, such as with a slash at its end
            router.route(HttpMethod.valueOf(method.name()), path).handler(context -> consumer.handle(context.request()));
        }
        listenOnceAllRuns();
    }

    /** Takes a consumer's requests away from it. */
    void remove(EventLoopConsumer consumer) {
        eventLoopConsumers.values().forEach(byMethod -> byMethod.values().removeIf(consumer::equals));
    }

    private void handle(HttpServerRequest request) {
        if (draining) {
            // once its body is here: closing a socket with data in it resets it, and the answer may be lost
            request.endHandler(end -> refuse(request));
            return;
        }
        Map<String, EventLoopConsumer> byMethod = eventLoopConsumers.get(request.path());
        EventLoopConsumer consumer = byMethod == null ? null : byMethod.get(request.method().name());
        if (consumer != null) {
            consumer.handle(request);
        } else if (byMethod != null && request.method() == HttpMethod.HEAD && byMethod.containsKey(HttpMethod.GET.name())) {
            // it has no end, so nobody can ask for its headers alone; the router would take its path for the id of a comment
            request.response().putHeader("Allow", HttpMethod.GET.name());
            HttpProblems.answer(request.response(), 405);
        } else {
            router.handle(request);
        }
    }

    private void refuse(HttpServerRequest request) {
        if (leaving) {
            HttpProblems.answerAndClose(request, 503);
        } else {
            HttpProblems.answer(request.response(), 503);
        }
    }

    // until then, a path whose route has not started might be taken for that of another, such as /comments/stream for an id
    private void listenOnceAllRuns() throws Exception {
        if (getCamelContext().isStarted()) {
            listen();
        }
    }

    private synchronized void listen() throws Exception {
        if (server != null) {
            return;
        }
        HttpServerOptions options = new HttpServerOptions()
                .setHost(host)
                .setPort(port)
                .setIdleTimeout(IDLE_TIMEOUT_SECONDS)
                .setHandle100ContinueAutomatically(true)
                // HTTP/2 comes with TLS
                .setHttp2ClearTextEnabled(false)
                .setPerFrameWebSocketCompressionSupported(false)
                .setPerMessageWebSocketCompressionSupported(false);
        String certificate = property("HTTP_TLS_CERTIFICATE");
        if (!certificate.isEmpty()) {
            options.setSsl(true).setUseAlpn(true)
                    .setKeyCertOptions(new PemKeyCertOptions().setCertPath(certificate).setKeyPath(property("HTTP_TLS_KEY")));
        }
        server = vertx.createHttpServer(options)
                .connectionHandler(connection -> {
                    connections.add(connection);
                    connection.closeHandler(closed -> connections.remove(connection));
                })
                .requestHandler(this::handle)
                .invalidRequestHandler(HttpProblems::answerInvalid);
        server.listen().toCompletionStage().toCompletableFuture().get();
    }

    @Override
    protected void doStop() throws Exception {
        super.doStop();
        if (vertx != null) {
            vertx.close().toCompletionStage().toCompletableFuture().get();
        }
    }
}
