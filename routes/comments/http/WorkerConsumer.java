package comments.http;

import comments.http.ClientLimits.Client;
import comments.http.ClientLimits.Resource;
import comments.observe.PipelineMetrics;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.component.platform.http.PlatformHttpEndpoint;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpConsumer;
import org.apache.camel.support.processor.DelegateAsyncProcessor;

/**
 * Serves one path by a route that runs on a worker thread, as Camel's own consumer does. Also refuses requests while the
 * process ends, and when too many requests have or await a worker.
 *
 * <p>A request is counted after its body is read, because a client that disconnects early never completes it. It counts until
 * its answer is written, or until its route is done and its connection is closed: then Camel's consumer never ends the exchange.
 */
final class WorkerConsumer extends VertxPlatformHttpConsumer {

    /** The largest number of requests that have or await a worker. Further requests are refused. */
    static final int MAX_REQUESTS = 1_000;

    private static final String PLACE = "workerPlace";

    private final HttpEngine engine;
    private final ClientConnections connections;
    // the other paths serve the page and the description of the API
    private final boolean comments;

    WorkerConsumer(PlatformHttpEndpoint endpoint, Processor processor, HttpEngine engine, String routerName) {
        super(endpoint, new DelegateAsyncProcessor(processor) {
            @Override
            public boolean process(Exchange exchange, AsyncCallback callback) {
                return super.process(exchange, doneSync -> {
                    ((Place) exchange.getProperty(PLACE)).routed();
                    callback.done(doneSync);
                });
            }
        }, engine.getHandlers(), routerName);
        this.engine = engine;
        connections = engine.connections();
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
            return;
        }
        int status = connections.limits().excess(connections.client(context.request()), Resource.READS, 1);
        if (status != 0) {
            if (comments) {
                PipelineMetrics.read(status, 0);
            }
            HttpProblems.answerBusy(context.request(), status);
        } else {
            // a cache must revalidate: a comment that is missing now may appear in a moment
            context.response().putHeader("Cache-Control", "no-cache");
            super.handleRequest(context);
        }
    }

    @Override
    protected Future<Void> processHttpRequest(Exchange exchange, RoutingContext context) {
        return super.processHttpRequest(exchange, context).onSuccess(read -> {
            Place place = new Place(exchange, context.request());
            exchange.setProperty(PLACE, place);
            context.addEndHandler(ended -> {
                if (ended.failed()) {
                    place.closed();
                }
            });
            connections.watch(place);
        });
    }

    @Override
    public void releaseExchange(Exchange exchange, boolean autoRelease) {
        Place place = (Place) exchange.removeProperty(PLACE);
        if (place != null) {
            place.leave();
        }
        super.releaseExchange(exchange, autoRelease);
    }

    /** The place of a request among those that have or await a worker. */
    private final class Place implements ClientConnections.Watched {

        private static final int OPEN = 2;

        private final Exchange exchange;
        private final HttpServerRequest request;
        private final Context loop = Vertx.currentContext();
        private final Client client;
        private final long began = System.nanoTime();
        // two events end it: its route is done, and its connection is closed
        private final AtomicInteger awaited = new AtomicInteger(OPEN);
        private long written = -1;
        private long writtenAt;
        private boolean left;

        Place(Exchange exchange, HttpServerRequest request) {
            this.exchange = exchange;
            this.request = request;
            client = connections.client(request);
            connections.limits().give(client, Resource.READS, -1);
        }

        /** Its route is done. Called on a worker thread. */
        void routed() {
            if (awaited.decrementAndGet() == 0) {
                loop.runOnContext(task -> leave());
            }
        }

        /** Its connection is closed before the answer is complete. */
        void closed() {
            if (awaited.decrementAndGet() == 0) {
                leave();
            }
        }

        /** Counts no longer. */
        void leave() {
            if (left) {
                return;
            }
            left = true;
            connections.unwatch(this);
            connections.limits().give(client, Resource.READS, 1);
            if (comments) {
                PipelineMetrics.read(exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, 500, Integer.class),
                        System.nanoTime() - began);
            }
        }

        @Override
        public void endIfSlow(long nanos) {
            long now = System.nanoTime();
            long bytes = request.response().bytesWritten();
            if (awaited.get() == OPEN || bytes != written) {
                written = bytes;
                writtenAt = now;
            } else if (now - writtenAt > nanos) {
                VertxInternals.abandon(request);
            }
        }
    }
}
