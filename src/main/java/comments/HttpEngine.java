package comments;

import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import org.apache.camel.Processor;
import org.apache.camel.component.platform.http.PlatformHttpEndpoint;
import org.apache.camel.component.platform.http.spi.PlatformHttpConsumer;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpConsumer;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpEngine;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpRouter;

/**
 * The HTTP server of the REST routes. It listens once the first of them starts, so a process without one opens no port,
 * and it answers what never reaches a route (an unknown path, a body or header that is too large) with a problem, too.
 *
 * <p>Camel's own server ({@code camel.server.*}) would have to listen on 8080 whenever the management server runs beside
 * it: its engine asks the registry for the one server there is, and finds two.
 */
public final class HttpEngine extends VertxPlatformHttpEngine {

    private static final int IDLE_TIMEOUT_SECONDS = 75;

    private String host;
    private int port;
    private long maxBody;
    private Vertx vertx;
    private Router router;
    private HttpServer server;

    @Override
    protected void doInit() throws Exception {
        super.doInit();
        host = knob("HTTP_HOST");
        port = Integer.parseInt(knob("HTTP_PORT"));
        maxBody = Long.parseLong(knob("HTTP_MAX_BODY"));
    }

    private String knob(String name) {
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
        return new VertxPlatformHttpConsumer(endpoint, processor, getHandlers(),
                VertxPlatformHttpRouter.getRouterNameFromPort(port)) {
            @Override
            protected void doStart() throws Exception {
                super.doStart();
                listen();
            }
        };
    }

    private void createRouter() {
        vertx = Vertx.vertx();
        router = Router.router(vertx);
        HttpProblems.answerErrors(router);
        String name = VertxPlatformHttpRouter.getRouterNameFromPort(port);
        getCamelContext().getRegistry().bind(name, new VertxPlatformHttpRouter(null, vertx, router, name) {
            @Override
            public Handler<RoutingContext> bodyHandler() {
                BodyHandler handler = BodyHandler.create(false).setBodyLimit(maxBody);
                return context -> {
                    context.request().resume();
                    handler.handle(context);
                };
            }
        });
    }

    private void listen() throws Exception {
        if (server != null) {
            return;
        }
        HttpServerOptions options = new HttpServerOptions()
                .setHost(host)
                .setPort(port)
                .setIdleTimeout(IDLE_TIMEOUT_SECONDS)
                .setHandle100ContinueAutomatically(true);
        server = vertx.createHttpServer(options)
                .requestHandler(router)
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
