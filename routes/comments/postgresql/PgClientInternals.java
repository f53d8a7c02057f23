package comments.postgresql;

import io.netty.handler.flush.FlushConsolidationHandler;
import io.vertx.pgclient.PgConnection;
import io.vertx.sqlclient.impl.SocketConnectionBase;
import io.vertx.sqlclient.impl.SqlConnectionInternal;

/** All uses of internals of Vert.x's client of PostgreSQL, 4.5. Each method documents its reason. */
final class PgClientInternals {

    // the codec of PostgreSQL's protocol: what is between it and the socket has bytes
    private static final String CODEC = "codec";

    private PgClientInternals() {
    }

    /**
     * Sends all statements of one iteration of the event loop with one write. Vert.x writes each alone: a system call, and often
     * a wake-up of the server process. Called when the connection is made.
     */
    static void consolidateWrites(PgConnection connection) {
        if (((SqlConnectionInternal) connection).unwrap() instanceof SocketConnectionBase socket) {
            socket.socket().channelHandlerContext().pipeline().addBefore(CODEC, "flush",
                    new FlushConsolidationHandler(FlushConsolidationHandler.DEFAULT_EXPLICIT_FLUSH_AFTER_FLUSHES, true));
        }
    }
}
