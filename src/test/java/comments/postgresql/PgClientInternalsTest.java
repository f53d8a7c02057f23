package comments.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import comments.support.TestServers;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.pgclient.PgConnection;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.Tuple;
import io.vertx.sqlclient.impl.SocketConnectionBase;
import io.vertx.sqlclient.impl.SqlConnectionInternal;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PgClientInternalsTest {

    private static final int STATEMENTS = 30;

    /** Counts what reaches the socket. */
    private static final class Flushes extends ChannelOutboundHandlerAdapter {

        private final AtomicInteger count = new AtomicInteger();

        @Override
        public void flush(ChannelHandlerContext context) {
            count.incrementAndGet();
            context.flush();
        }
    }

    private static <T> T get(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    @Test
    void theStatementsOfOneIterationOfTheEventLoopAreOneWrite() throws Exception {
        Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
        try {
            PostgresUrl.Candidate server = new PostgresUrl(TestServers.newDatabase()).candidates("postgres", "").iterator().next();
            PgConnection connection = get(PgConnection.connect(vertx,
                    server.server().setCachePreparedStatements(true).setPipeliningLimit(STATEMENTS)));
            PgClientInternals.consolidateWrites(connection);
            Flushes flushes = new Flushes();
            ((SocketConnectionBase) ((SqlConnectionInternal) connection).unwrap()).socket().channelHandlerContext().pipeline()
                    .addFirst(flushes);
            assertThat(answers(vertx, connection, 1)).as("prepares").isEqualTo(1);
            flushes.count.set(0);
            assertThat(answers(vertx, connection, STATEMENTS)).isEqualTo(STATEMENTS);
            assertThat(flushes.count.get()).isLessThanOrEqualTo(2);
        } finally {
            get(vertx.close());
        }
    }

    /** Sends statements in one task of the event loop, and adds up their answers. */
    private static int answers(Vertx vertx, PgConnection connection, int statements) throws Exception {
        CompletableFuture<Future<?>> sent = new CompletableFuture<>();
        AtomicInteger answers = new AtomicInteger();
        vertx.runOnContext(task -> sent.complete(Future.all(IntStream.range(0, statements)
                .mapToObj(i -> (Future<RowSet<Row>>) connection.preparedQuery("SELECT $1::int").execute(Tuple.of(i)))
                .map(rows -> rows.onSuccess(row -> answers.incrementAndGet())).toList())));
        get(sent.get(30, TimeUnit.SECONDS));
        return answers.get();
    }
}
