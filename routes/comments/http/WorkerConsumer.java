package comments.http;

import comments.observe.PipelineMetrics;
import io.vertx.core.Future;
import io.vertx.ext.web.RoutingContext;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.component.platform.http.PlatformHttpEndpoint;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpConsumer;

/**
 * Serves one path by a route that runs on a worker thread, as Camel's own consumer does. Also refuses requests while the
 * process ends, and when too many requests have or await a worker.
 *
 * <p>A request is counted after its body is read, because a client that disconnects early never completes it.
 */
final class WorkerConsumer extends VertxPlatformHttpConsumer {

    /** The largest number of requests that have or await a worker. Further requests are refused. */
    static final int MAX_REQUESTS = 1_000;

    private static final String BEGAN = "workerBegan";

    private final HttpEngine engine;
    // the other paths serve the page and the description of the API
    private final boolean comments;

    WorkerConsumer(PlatformHttpEndpoint endpoint, Processor processor, HttpEngine engine, String routerName) {
        super(endpoint, processor, engine.getHandlers(), routerName);
        this.engine = engine;
        comments = endpoint.getPath().startsWith("/comments");
    }

    @Override
    protected void doStart() throws Exception {
        super.doStart();
        engine.listenIfStarted();
    }

    @Override
    protected void handleRequest(RoutingContext context) {
        if (engine.isDraining() || isSuspended()) {
            engine.refuse(context.request());
        } else if (engine.onWorkers().get() >= MAX_REQUESTS) {
            if (comments) {
                PipelineMetrics.read(503, 0);
            }
            HttpProblems.answerBusy(context.response());
        } else {
            // a cache must revalidate: a comment that is missing now may appear in a moment
            context.response().putHeader("Cache-Control", "no-cache");
            super.handleRequest(context);
        }
    }

    @Override
    protected Future<Void> processHttpRequest(Exchange exchange, RoutingContext context) {
        return super.processHttpRequest(exchange, context).onSuccess(read -> {
            exchange.setProperty(BEGAN, System.nanoTime());
            engine.onWorkers().incrementAndGet();
        });
    }

    @Override
    public void releaseExchange(Exchange exchange, boolean autoRelease) {
        Long began = (Long) exchange.removeProperty(BEGAN);
        if (began != null) {
            engine.onWorkers().decrementAndGet();
            if (comments) {
                PipelineMetrics.read(exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, 500, Integer.class),
                        System.nanoTime() - began);
            }
        }
        super.releaseExchange(exchange, autoRelease);
    }
}
