package comments.http;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.handler.BodyHandler;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.ExtendedStartupListener;
import org.apache.camel.Processor;
import org.apache.camel.component.platform.http.PlatformHttpEndpoint;
import org.apache.camel.component.platform.http.spi.Method;
import org.apache.camel.component.platform.http.spi.PlatformHttpConsumer;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpEngine;
import org.apache.camel.support.TempDirHelper;

/**
 * The HTTP server of the REST routes. It listens after all routes have started, if one of them is a REST route: a process
 * without one opens no port. It also answers with a problem where no route does: an unknown path, a body or header that is too
 * large.
 *
 * <p>The endpoints that {@code comments.event-loop-endpoints} names, such as {@code POST /comments}, run on its event loop:
 * see {@link EventLoopConsumer}, which took the service from 65 to 43 µs of CPU a comment. All others run on worker threads:
 * see {@link WorkerConsumer}.
 *
 * <p>Camel's own server ({@code camel.server.*}) would always listen on 8080 when the management server runs in the same
 * process: its engine looks up a single server in the registry, and finds two.
 */
public final class HttpEngine extends VertxPlatformHttpEngine {

    private static final int IDLE_TIMEOUT_SECONDS = 75;
    private static final Set<HttpMethod> READING = Set.of(HttpMethod.GET, HttpMethod.HEAD);
    private static final String UPLOADS = "${java.io.tmpdir}/camel/camel-tmp-#uuid#/";

    // by path, then by method
    private final Map<String, Map<String, EventLoopConsumer>> eventLoopConsumers = new ConcurrentHashMap<>();
    private Set<String> eventLoopEndpoints;
    private String host;
    private int port;
    private int maxBody;
    private Vertx vertx;
    private volatile Router router;
    private HttpServer server;
    private final Set<HttpConnection> connections = ConcurrentHashMap.newKeySet();
    private final AtomicInteger pending = new AtomicInteger();
    private final AtomicInteger onWorkers = new AtomicInteger();
    private volatile boolean listening;
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
        // each path with GET also has HEAD (RFC 9110, 9.1)
        if (methods.contains(Method.GET) && methods.add(Method.HEAD)) {
            endpoint.setHttpMethodRestrict(methods.stream().map(Method::name).collect(Collectors.joining(",")));
        }
        return new WorkerConsumer(endpoint, processor, this, VertxInternals.routerName(port));
    }

    private final class FirstListening implements ExtendedStartupListener {

        @Override
        public void onCamelContextStarted(CamelContext context, boolean alreadyStarted) {
            // not all routes have started yet
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
        BodyHandler bodyHandler = BodyHandler.create(uploads).setBodyLimit(maxBody).setDeleteUploadedFilesOnEnd(true);
        String name = VertxInternals.routerName(port);
        getCamelContext().getRegistry().bind(name, VertxInternals.router(vertx, router, name, context -> {
            context.request().resume();
            // ignores the body of a GET: the body handler fails with 500 on a form
            if (READING.contains(context.request().method())) {
                context.next();
            } else {
                bodyHandler.handle(context);
            }
        }));
    }

    /**
     * Refuses all requests from now on. Connections stay open: a client whose connection is closed opens another one, and the
     * kernel resets connections that this process has not accepted when it stops listening. Any thread may call it.
     */
    public void drain() {
        draining = true;
    }

    boolean isDraining() {
        return draining;
    }

    /** Accepts no more connections, and closes each open connection with its next answer. Any thread may call it. */
    public void stopListening() throws InterruptedException, ExecutionException {
        if (vertx != null) {
            VertxInternals.stopListening(vertx);
            leaving = true;
        }
    }

    /** Whether the current thread is an event loop, which must never wait. */
    public static boolean isEventLoop() {
        return Context.isOnEventLoopThread();
    }

    /** Whether requests are accepted, or no route needs any. */
    boolean accepts() {
        return router == null || listening && !draining;
    }

    /** Whether a client is connected. */
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

    /** Counts the requests that have or await a worker. */
    AtomicInteger onWorkers() {
        return onWorkers;
    }

    /** Whether every request is answered. */
    public boolean isIdle() {
        return pending.get() == 0 && onWorkers.get() == 0;
    }

    /** The largest body of a request, in bytes. */
    int maxBody() {
        return maxBody;
    }

    /** Routes the requests of a path to a consumer, once the consumer is started. */
    void add(String path, Set<Method> methods, EventLoopConsumer consumer) throws Exception {
        Map<String, EventLoopConsumer> byMethod = eventLoopConsumers.computeIfAbsent(path, key -> new ConcurrentHashMap<>());
        for (Method method : methods) {
            byMethod.put(method.name(), consumer);
            // the router answers 405 to other methods, and serves variants of the path, such as one with a slash at the end
            router.route(HttpMethod.valueOf(method.name()), path).handler(context -> consumer.handle(context.request()));
        }
        listenIfStarted();
    }

    /** Routes no more requests to a consumer. */
    void remove(EventLoopConsumer consumer) {
        eventLoopConsumers.values().forEach(byMethod -> byMethod.values().removeIf(consumer::equals));
    }

    private void handle(HttpServerRequest request) {
        if (draining) {
            // after its body is read: closing a socket with unread data resets it, and the answer may be lost
            request.endHandler(end -> refuse(request));
            return;
        }
        Map<String, EventLoopConsumer> byMethod = eventLoopConsumers.get(request.path());
        EventLoopConsumer consumer = byMethod == null ? null : byMethod.get(request.method().name());
        if (consumer != null) {
            consumer.handle(request);
        } else if (byMethod != null && request.method() == HttpMethod.HEAD && byMethod.containsKey(HttpMethod.GET.name())) {
            // a stream has no end, so no HEAD; the router would match its path as the id of a comment
            request.response().putHeader("Allow", HttpMethod.GET.name());
            HttpProblems.answer(request.response(), 405);
        } else {
            router.handle(request);
        }
    }

    void refuse(HttpServerRequest request) {
        if (leaving) {
            HttpProblems.answerAndClose(request, 503);
        } else {
            HttpProblems.answer(request.response(), 503);
        }
    }

    // before all routes run, a path can match another route: /comments/stream is also /comments/{id}
    void listenIfStarted() throws Exception {
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
        listening = true;
    }

    @Override
    protected void doStop() throws Exception {
        super.doStop();
        if (vertx != null) {
            vertx.close().toCompletionStage().toCompletableFuture().get();
        }
    }
}
