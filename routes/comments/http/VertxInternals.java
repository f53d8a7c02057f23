package comments.http;

import io.netty.channel.Channel;
import io.netty.channel.SingleThreadEventLoop;
import io.netty.util.concurrent.EventExecutor;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.impl.VertxInternal;
import io.vertx.core.net.impl.ConnectionBase;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpRouter;

/**
 * All uses of internals of Vert.x 4.5 and camel-platform-http-vertx. Each method documents its reason.
 *
 * <p>With Vert.x 5 (planned for Camel 4.24) {@code VertxInternal} and {@code ConnectionBase} move to
 * {@code io.vertx.core.internal}: there {@code VertxInternal.acceptorEventLoopGroup()} and
 * {@code nettyEventLoopGroup()} replace the two groups, and {@code HttpConnection.shutdown(0, …)} may do what
 * {@link #closeUnwritten} does. HttpEngineTest and DrainTest test what each must do.
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

    /** Closes a connection at once, and drops unwritten data: {@link HttpConnection#close} writes it first. */
    static void closeUnwritten(HttpConnection connection) {
        ((ConnectionBase) connection).channelHandlerContext().close();
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
