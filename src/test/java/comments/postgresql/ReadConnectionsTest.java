package comments.postgresql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.support.TestServers;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.impl.CloseFuture;
import io.vertx.core.impl.VertxInternal;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.Tuple;
import java.lang.reflect.Field;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ReadConnectionsTest {

    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));

    @AfterEach
    void close() throws Exception {
        vertx.close().toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    /** What Vert.x holds until it closes. */
    private int held() throws Exception {
        Field hooks = CloseFuture.class.getDeclaredField("hooks");
        hooks.setAccessible(true);
        CloseFuture all = ((VertxInternal) vertx).closeFuture();
        synchronized (all) {
            Map<?, ?> held = (Map<?, ?>) hooks.get(all);
            return held == null ? 0 : held.size();
        }
    }

    @Test
    void anotherConnectionTakesThePlaceOfAnOldOneWithoutAFailedRead() throws Exception {
        String url = TestServers.newDatabase();
        ReadConnections.Shared shared = new ReadConnections.Shared(new PostgresUrl(url), "postgres", "", null, 1, 0);
        Set<Integer> servers = ConcurrentHashMap.newKeySet();
        List<SQLException> failures = new CopyOnWriteArrayList<>();
        vertx.runOnContext(task -> {
            ReadConnections connections = new ReadConnections(vertx, shared, TimeUnit.SECONDS.toNanos(1));
            // always one on its way
            vertx.setPeriodic(5, read -> connections.execute("SELECT pg_backend_pid() FROM pg_sleep(0.002)", Tuple.tuple(), (rows, failure) -> {
                if (failure == null) {
                    servers.add(rows.iterator().next().getInteger(0));
                } else {
                    failures.add(failure);
                }
            }));
        });
        await().atMost(30, TimeUnit.SECONDS).until(() -> servers.size() >= 3);
        assertThat(failures).isEmpty();
        try (Connection connection = DriverManager.getConnection(url); Statement statement = connection.createStatement()) {
            await().until(() -> {
                try (ResultSet row = statement.executeQuery(
                        "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")) {
                    return row.next() && row.getInt(1) == 1;
                }
            });
        }
    }

    @Test
    void aConnectionThatTheServerClosesIsForgotten() throws Exception {
        String url = TestServers.newDatabase();
        ReadConnections.Shared shared = new ReadConnections.Shared(new PostgresUrl(url), "postgres", "", null, 1, 0);
        int before = held();
        CompletableFuture<RowSet<Row>> rows = new CompletableFuture<>();
        vertx.runOnContext(task -> new ReadConnections(vertx, shared).execute("SELECT 1", Tuple.tuple(), (found, failure) -> {
            if (failure == null) {
                rows.complete(found);
            } else {
                rows.completeExceptionally(failure);
            }
        }));
        assertThat(rows.get(30, TimeUnit.SECONDS)).hasSize(1);
        assertThat(held()).isEqualTo(before + 1);
        try (Connection connection = DriverManager.getConnection(url); Statement statement = connection.createStatement()) {
            statement.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()");
        }
        await().until(() -> held() == before);
    }
}
