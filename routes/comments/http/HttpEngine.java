package comments.http;

import comments.http.ClientLimits.Client;
import comments.http.ClientLimits.Resource;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.handler.BodyHandler;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
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
 * <p>The endpoints that {@code comments.event-loop-endpoints} names, such as {@code POST /comments}, run on its event loops:
 * see {@link EventLoopConsumer}. A connection has one of {@code HTTP_EVENT_LOOPS} loops, and stays on it. All others run on worker threads: see {@link WorkerConsumer}.
 *
 * <p>Camel's own server ({@code camel.server.*}) would always listen on 8080 when the management server runs in the same
 * process: its engine looks up a single server in the registry, and finds two.
 */
public final class HttpEngine extends VertxPlatformHttpEngine {

    private static final Set<HttpMethod> READING = Set.of(HttpMethod.GET, HttpMethod.HEAD);
    // what a connection, or a stream of HTTP/2, takes at most before its request is complete: with TLS, buffers and keys, too
    private static final int CONNECTION_BYTES = 32 << 10;
    private static final int TLS_CONNECTION_BYTES = 64 << 10;
    private static final int MAX_LINE = 8 << 10;
    // one read of a connection
    private static final int UNHANDLED_BYTES = 64 << 10;
    private static final String UPLOADS = "${java.io.tmpdir}/camel/camel-tmp-#uuid#/";

    // by path, then by method; the paths of worker consumers have none
    private final Map<String, Map<String, EventLoopConsumer>> eventLoopConsumers = new ConcurrentHashMap<>();
    // those whose paths have a parameter
    private final List<PathTemplate> templates = new CopyOnWriteArrayList<>();
    private Set<String> eventLoopEndpoints;
    private String host;
    private int port;
    private int maxBody;
    private Vertx vertx;
    private int eventLoops;
    private volatile Router router;
    private List<HttpServer> servers = List.of();
    private final ApiKeys apiKeys = new ApiKeys();
    private ClientConnections connections;
    private CrossOrigin crossOrigin;
    private volatile boolean listening;
    private volatile boolean retiring;
    private volatile boolean draining;
    private volatile boolean leaving;

    /** A path such as {@code /comments/{id}/replies}, whose parameter is one segment. */
    private record PathTemplate(String path, String before, String after) {

        static PathTemplate of(String path) {
            return new PathTemplate(path, path.substring(0, path.indexOf('{')), path.substring(path.indexOf('}') + 1));
        }

        boolean matches(String requested) {
            int end = requested.length() - after.length();
            return end > before.length() && requested.startsWith(before) && requested.endsWith(after)
                    && requested.indexOf('/', before.length()) == (after.isEmpty() ? -1 : end);
        }
    }

    /** Admits requests of endpoints on the event loop by their headers. The engine finds it in the registry. */
    public interface Admission {

        /** The methods and paths of the requests, such as {@code POST /comments}. */
        Set<String> endpoints();

        /**
         * Admits a request whose body is not read, and charges its client for it. Called on the event loop.
         *
         * @param client the name of its API key, or else its address
         * @throws InvalidRequestException if the request is refused
         * @throws RejectedExecutionException if no request can be admitted now: the answer is 503
         */
        void admit(String client) throws InvalidRequestException;
    }

    /** A request that came after the drain began. It is refused after its body is read, or when the process ends. */
    private final class Late implements ClientConnections.Watched {

        private final HttpServerRequest request;

        Late(HttpServerRequest request) {
            this.request = request;
            connections.watch(this);
            // after its body is read: closing a socket with unread data resets it, and the answer may be lost
            request.exceptionHandler(closed -> connections.unwatch(this)).endHandler(end -> {
                connections.unwatch(this);
                refuse(request);
            });
        }

        @Override
        public void endIfSlow(long nanos) {
            // the end of the process comes first
        }

        @Override
        public void endUpload() {
            connections.unwatch(this);
            HttpProblems.answerAndClose(request, 503);
        }
    }

    @Override
    protected void doInit() throws Exception {
        super.doInit();
        getCamelContext().addStartupListener(new FirstListening());
        host = property("HTTP_HOST");
        port = Integer.parseInt(property("HTTP_PORT"));
        maxBody = Integer.parseInt(property("HTTP_MAX_BODY"));
        apiKeys.setKeys(property("COMMENTS_API_KEYS"));
        crossOrigin = new CrossOrigin(property("COMMENTS_CORS_ORIGINS"));
        connections = new ClientConnections(newLimits(), Duration.ofMillis(Integer.parseInt(property("HTTP_CLIENT_TIMEOUT"))));
        eventLoopEndpoints = Set.of(property("comments.event-loop-endpoints").split("\\s*,\\s*"));
    }

    private ClientLimits newLimits() {
        ClientLimits made = new ClientLimits(new ClientAddress(property("COMMENTS_TRUSTED_PROXIES")),
                Integer.parseInt(property("HTTP_CLIENT_SHARE")));
        long heap = Runtime.getRuntime().maxMemory();
        int most = Integer.parseInt(property("HTTP_MAX_CONNECTIONS"));
        boolean tls = !property("HTTP_TLS_CERTIFICATE").isEmpty();
        made.limit(Resource.CONNECTIONS, most > 0 ? most : heap / (tls ? TLS_CONNECTION_BYTES : CONNECTION_BYTES), 1);
        made.limit(Resource.STREAMS, heap / CONNECTION_BYTES, 1);
        made.limit(Resource.UNHANDLED, heap / 8 / UNHANDLED_BYTES, 1);
        made.limitShare(Resource.REQUESTS, Integer.parseInt(property("COMMENTS_WAITING")));
        made.limit(Resource.READS, WorkerConsumer.MAX_REQUESTS, 1);
        // a body in the making is copied when it is complete
        made.limit(Resource.BYTES, Math.max(heap / 8, 2L * maxBody), maxBody);
        return made;
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
        crossOrigin.allow(methods);
        if (methods.stream().anyMatch(method -> isOnEventLoop(method, endpoint))) {
            if (methods.contains(Method.GET) && isOnEventLoop(Method.HEAD, endpoint)) {
                methods.add(Method.HEAD);
                crossOrigin.allow(methods);
            }
            return new EventLoopConsumer(endpoint, processor, this, methods);
        }
        eventLoopConsumers.computeIfAbsent(endpoint.getPath(), key -> new ConcurrentHashMap<>());
        // each path with GET also has HEAD (RFC 9110, 9.1)
        if (methods.contains(Method.GET) && methods.add(Method.HEAD)) {
            crossOrigin.allow(methods);
            endpoint.setHttpMethodRestrict(methods.stream().map(Method::name).collect(Collectors.joining(",")));
        }
        return new WorkerConsumer(endpoint, processor, this, VertxInternals.routerName(port));
    }

    private boolean isOnEventLoop(Method method, PlatformHttpEndpoint endpoint) {
        return eventLoopEndpoints.contains(method + " " + endpoint.getPath());
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

    /** The event loops of the server, where clients of other servers can run, too. Any thread may call it. */
    public synchronized Vertx vertx() {
        if (vertx == null) {
            // perhaps before this is initialised: clients of other servers share the loops
            int setting = Integer.parseInt(property("HTTP_EVENT_LOOPS"));
            eventLoops = setting > 0 ? setting : Runtime.getRuntime().availableProcessors();
            vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true).setEventLoopPoolSize(eventLoops));
            // Vert.x logs each with its stack, and a client can cause them at any rate
            vertx.exceptionHandler(failure -> connections.failed(failure));
        }
        return vertx;
    }

    /** How many event loops {@link #vertx} has. Any thread may call it. */
    public synchronized int eventLoops() {
        vertx();
        return eventLoops;
    }

    private void createRouter() {
        router = Router.router(vertx());
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
     * Is not ready from now on, and asks each client to close its connection after its next answer. Requests are answered as before, so
     * that balancers have time to send them elsewhere. Returns whether there is an HTTP server. Any thread may call it.
     */
    public boolean retire() {
        retiring = true;
        return router != null;
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

    /**
     * Accepts no more connections, closes each open connection with its next answer, and refuses requests whose bodies are not
     * complete. Any thread may call it.
     */
    public void stopListening() throws InterruptedException, ExecutionException {
        if (vertx != null) {
            VertxInternals.stopListening(vertx);
            leaving = true;
            connections.endUploads();
        }
    }

    /** Whether the current thread is an event loop, which must never wait. */
    public static boolean isEventLoop() {
        return Context.isOnEventLoopThread();
    }

    /** Whether requests are accepted, or no route needs any. */
    boolean accepts() {
        return router == null || listening && !retiring && !draining;
    }

    /** Whether a client is connected. */
    public boolean isConnected() {
        return connections.hasAny();
    }

    /** Whether each connection must be closed with its next answer. */
    boolean isLeaving() {
        return leaving;
    }

    /** The connections of clients. */
    ClientConnections connections() {
        return connections;
    }

    /**
     * Refuses a request on the event loop before its body is read. Without an admission, it only needs an API key. Returns the hash of
     * its API key: see {@link ApiKeys#hash}.
     */
    byte[] admit(HttpServerRequest request, Client client, Admission admission) throws InvalidRequestException {
        byte[] keyHash = apiKeys.hash(request);
        String name = apiKeys.require(request, keyHash);
        if (admission != null) {
            admission.admit(name.isEmpty() ? client.address() : name);
        }
        return keyHash;
    }

    /** The admission to an endpoint, or null. */
    Admission admission(String path, Set<Method> methods) {
        return getCamelContext().getRegistry().findByType(Admission.class).stream()
                .filter(found -> methods.stream().anyMatch(method -> found.endpoints().contains(method + " " + path)))
                .findAny().orElse(null);
    }

    /** Whether every request is answered, also those whose bodies are still on their way. */
    public boolean isIdle() {
        return connections.limits().held(Resource.REQUESTS) == 0 && connections.limits().held(Resource.READS) == 0;
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
            Route route = router.route(HttpMethod.valueOf(method.name()), path.replaceAll("\\{(\\w+)}", ":$1"));
            if (path.contains("{")) {
                route.last();
            }
            route.handler(context -> consumer.handle(context.request(), context.normalizedPath()));
        }
        if (path.contains("{") && templates.stream().noneMatch(template -> template.path().equals(path))) {
            templates.add(PathTemplate.of(path));
        }
        listenIfStarted();
    }

    /** Routes no more requests to a consumer. */
    void remove(EventLoopConsumer consumer) {
        eventLoopConsumers.values().forEach(byMethod -> byMethod.values().removeIf(consumer::equals));
    }

    private void handle(HttpServerRequest request) {
        if (connections.refuses(request)) {
            return;
        }
        if (retiring) {
            connections.askToLeave(request);
        }
        if (crossOrigin.answers(request)) {
            return;
        }
        if (leaving) {
            refuse(request);
            return;
        }
        if (draining) {
            new Late(request);
            return;
        }
        if (request.path() == null || request.method() == HttpMethod.CONNECT) {
            // CONNECT names an authority instead of a path
            HttpProblems.answerAndClose(request, 400);
            return;
        }
        Map<String, EventLoopConsumer> byMethod = consumers(request.path());
        EventLoopConsumer consumer = byMethod == null ? null : byMethod.get(request.method().name());
        if (consumer != null) {
            consumer.handle(request, request.path());
        } else if (byMethod != null && request.method() == HttpMethod.HEAD && byMethod.containsKey(HttpMethod.GET.name())) {
            // a stream has no end, so no HEAD; the router would match its path as the id of a comment
            request.response().putHeader("Allow", HttpMethod.GET.name());
            HttpProblems.answer(request.response(), 405);
        } else {
            router.handle(request);
        }
    }

    private Map<String, EventLoopConsumer> consumers(String path) {
        Map<String, EventLoopConsumer> byMethod = eventLoopConsumers.get(path);
        if (byMethod == null) {
            for (PathTemplate template : templates) {
                if (template.matches(path)) {
                    return eventLoopConsumers.get(template.path());
                }
            }
        }
        return byMethod;
    }

    void refuse(HttpServerRequest request) {
        if (SseClient.isRequested(request)) {
            SseClient.sendAwayStopping(request, leaving);
        } else if (leaving) {
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
        if (!servers.isEmpty()) {
            return;
        }
        HttpServerOptions options = new HttpServerOptions()
                .setHost(host)
                .setPort(port)
                .setIdleTimeout(Integer.parseInt(property("HTTP_IDLE_TIMEOUT")))
                .setHandle100ContinueAutomatically(true)
                // a query can name 100 posts by UUIDs
                .setMaxInitialLineLength(MAX_LINE)
                // HTTP/2 comes with TLS
                .setHttp2ClearTextEnabled(false)
                .setPerFrameWebSocketCompressionSupported(false)
                .setPerMessageWebSocketCompressionSupported(false);
        TlsCertificate certificate = new TlsCertificate(property("HTTP_TLS_CERTIFICATE"), property("HTTP_TLS_KEY"));
        boolean tls = !property("HTTP_TLS_CERTIFICATE").isEmpty();
        if (tls) {
            certificate.use(options);
        }
        servers = VertxInternals.listen(vertx, () -> newServer(options));
        VertxInternals.onAccept(vertx, connections::accept);
        if (tls) {
            certificate.watch(vertx, servers.get(0), options);
        }
        listening = true;
    }

    private HttpServer newServer(HttpServerOptions options) {
        return vertx.createHttpServer(options)
                .connectionHandler(connection -> connections.opened(connection, options))
                .requestHandler(this::handle)
                .invalidRequestHandler(request -> {
                    if (!crossOrigin.answers(request)) {
                        HttpProblems.answerInvalid(request);
                    }
                });
    }

    @Override
    protected void doStop() throws Exception {
        super.doStop();
        if (vertx != null) {
            vertx.close().toCompletionStage().toCompletableFuture().get();
        }
    }
}
