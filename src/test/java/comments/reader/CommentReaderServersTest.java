package comments.reader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.postgresql.ReactiveSqlComponent;
import comments.support.Proxy;
import comments.support.TestPipeline;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** comment-reader and the servers that POSTGRES_URL names. */
class CommentReaderServersTest extends ReaderFixture {

    private static final Duration RECOVERY = Duration.ofSeconds(30);

    private static TestPipeline reader(String servers, String parameters) throws Exception {
        // with its user and password
        String path = database.replaceFirst(".*/", "");
        return TestPipeline.start(Map.of("COMMENTS_ROLES", "comment-reader", "RABBITMQ_URI", "amqp://127.0.0.1:1", "COMMENTS_READERS", "2",
                "POSTGRES_USER", "postgres", "POSTGRES_URL", "jdbc:postgresql://%s/%s&%s".formatted(servers, path, parameters),
                "POSTGRES_MIGRATE", "false"));
    }

    private static int port() {
        return URI.create(database.substring("jdbc:".length())).getPort();
    }

    private static int status(TestPipeline reader) throws Exception {
        return reader.send(HttpRequest.newBuilder(reader.uri("/comments?postId=p"))).statusCode();
    }

    private static long sessions() throws SQLException {
        // a transaction would see those of its begin
        try (Connection other = DriverManager.getConnection(database); var statement = other.createStatement(); var rows = statement.executeQuery(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'counted'")) {
            rows.next();
            return rows.getLong(1);
        }
    }

    @Test
    void theNextServerIsTriedWhenOneIsAway() throws Exception {
        int nothing;
        try (ServerSocket socket = new ServerSocket(0)) {
            nothing = socket.getLocalPort();
        }
        try (TestPipeline reader = reader("127.0.0.1:%d,127.0.0.1:%d".formatted(nothing, port()), "targetServerType=primary")) {
            await().atMost(RECOVERY).until(() -> status(reader) == 200);
        }
    }

    @Test
    void theNextServerIsUsedWhenTheFirstGoesAway() throws Exception {
        try (Proxy first = new Proxy(port());
                TestPipeline reader = reader("127.0.0.1:%d,127.0.0.1:%d".formatted(first.port(), port()), "targetServerType=any")) {
            await().atMost(RECOVERY).until(() -> status(reader) == 200);
            first.close();
            await().atMost(RECOVERY).until(() -> status(reader) == 200);
            for (int i = 0; i < 10; i++) {
                assertThat(status(reader)).isEqualTo(200);
            }
        }
    }

    @Test
    void aServerOfAnotherTypeIsNotUsed() throws Exception {
        try (TestPipeline reader = reader("127.0.0.1:" + port(), "targetServerType=secondary")) {
            assertThat(status(reader)).isEqualTo(503);
            assertThat(reader.bean("reactive-sql", ReactiveSqlComponent.class).problem(5_000)).isEqualTo("The database is not reachable.");
        }
        try (TestPipeline reader = reader("127.0.0.1:" + port(), "targetServerType=preferSecondary")) {
            await().atMost(RECOVERY).until(() -> status(reader) == 200);
            assertThat(reader.bean("reactive-sql", ReactiveSqlComponent.class).problem(5_000)).isNull();
        }
    }

    @Test
    void aServerWithoutTheNeededTlsIsNotUsed() throws Exception {
        try (TestPipeline reader = reader("127.0.0.1:" + port(), "sslmode=require")) {
            // the first read after each pause gets the reason
            await().during(Duration.ofSeconds(3)).atMost(RECOVERY.plusSeconds(3)).until(() -> status(reader) == 503);
        }
    }

    /** While every connection has a statement that takes long. */
    @Test
    void moreReadsThanTheConnectionsHoldAreRefusedAndNoFurtherConnectionIsMade() throws Exception {
        UUID id = insert("p", 1);
        try (TestPipeline reader = reader("127.0.0.1:" + port(), "ApplicationName=counted")) {
            await().atMost(RECOVERY).until(() -> status(reader) == 200);
            connection.setAutoCommit(false);
            try {
                execute("LOCK TABLE comments");
                long sent = System.nanoTime();
                var answers = IntStream.range(0, 400).mapToObj(i -> reader.sendAsync(HttpRequest.newBuilder(reader.uri("/comments/" + id))))
                        .toList();
                await().atMost(RECOVERY).until(() -> sessions() == 2);
                assertThat(answers.stream().map(CompletableFuture::join)).allMatch(answer -> answer.statusCode() == 503);
                assertThat(Duration.ofNanos(System.nanoTime() - sent)).isLessThan(Duration.ofSeconds(20));
                assertThat(sessions()).isLessThanOrEqualTo(2);
            } finally {
                connection.rollback();
                connection.setAutoCommit(true);
            }
            await().atMost(RECOVERY).until(() -> reader.send(HttpRequest.newBuilder(reader.uri("/comments/" + id))).statusCode() == 200);
            await().atMost(RECOVERY).until(() -> reader.bean("reactive-sql", ReactiveSqlComponent.class).unanswered() == 0);
        }
    }
}
