package comments.reader;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.http.HttpEngine;
import comments.postgresql.ReactiveSqlComponent;
import comments.support.Proxy;
import comments.support.TestPipeline;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.apache.camel.Exchange;
import org.apache.camel.component.jdbc.JdbcConstants;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What comment-reader asks of the database, and what it does when the database is slow or away. */
class CommentReaderDatabaseTest extends ReaderFixture {

    private static final Pattern PARAMETER = Pattern.compile(":\\?(\\w+)");

    @TempDir
    private Path folder;

    @Test
    void itCantWrite() throws Exception {
        assertThat(read("DELETE FROM comments").getException()).isInstanceOfSatisfying(SQLException.class,
                failure -> assertThat(failure.getSQLState()).isEqualTo("25006"));
        assertThat(read("SHOW statement_timeout").getMessage().getBody(List.class)).hasToString("[{statement_timeout=2s}]");
    }

    // as the routes do
    private Exchange read(String sql) throws IOException {
        Path file = Files.writeString(folder.resolve(Integer.toHexString(sql.hashCode())), sql);
        return pipeline.context().createProducerTemplate().request("reactive-sql:file:" + file,
                exchange -> exchange.getMessage().setHeader(JdbcConstants.JDBC_PARAMETERS, Map.of()));
    }

    @Test
    void aStatementThatTakesTooLongIsEnded() throws Exception {
        UUID id = insert("p", 1);
        connection.setAutoCommit(false);
        try {
            execute("LOCK TABLE comments");
            HttpResponse<String> response = get("/comments/" + id);
            assertProblem(response, 503, "can't be read now");
            assertThat(header(response, "Retry-After")).isEqualTo("1");
        } finally {
            connection.rollback();
            connection.setAutoCommit(true);
        }
        assertThat(get("/comments/" + id).statusCode()).isEqualTo(200);
    }

    @Test
    void aMissingTableIsA503AndNothingOfItIsTold() throws Exception {
        execute("ALTER TABLE comments RENAME TO away");
        try {
            HttpResponse<String> response = get("/comments?postId=p");
            assertProblem(response, 503, "can't be read now");
            assertThat(response.body()).doesNotContain("relation", "comments\"", "SQL");
        } finally {
            execute("ALTER TABLE away RENAME TO comments");
        }
        assertThat(get("/comments?postId=p").statusCode()).isEqualTo(200);
    }

    @Test
    void everyQueryGoesByAnIndexInItsOrderWhateverTheStatisticsSay() throws Exception {
        execute("INSERT INTO comments SELECT gen_random_uuid(), CASE WHEN i % 2 = 0 THEN 'hot' ELSE 'post-' || i END, 'u', 'Ann', 'c',"
                + " CASE WHEN i % 5 = 0 THEN '" + NOBODY + "'::uuid END, now() - i * interval '1 second', now() FROM generate_series(1, 20000) i");
        assertPlans();
        execute("ANALYZE comments");
        assertPlans();
        Pages pages = Pages.from("/comments?postId=hot&limit=1000");
        assertThat(pages.ids()).hasSize(10_000).doesNotHaveDuplicates();
        assertThat(pages.count()).isEqualTo(10);
    }

    @SuppressWarnings("unchecked")
    private void assertPlans() throws Exception {
        Map<String, String> types = Map.of("postId", "text", "parentId", "uuid", "acceptedAt", "timestamptz", "id", "uuid",
                "limit", "int", "bytes", "int", "share", "int", "since", "timestamptz");
        try (Connection session = DriverManager.getConnection(database); Statement statement = session.createStatement()) {
            List<Map<String, String>> settings = read("SELECT name, setting FROM pg_settings WHERE source = 'session'").getMessage().getBody(List.class);
            assertThat(settings).isNotEmpty();
            for (Map<String, String> setting : settings) {
                statement.execute("SET %s = '%s'".formatted(setting.get("name"), setting.get("setting")));
            }
            for (String file : List.of("select-comment.sql", "select-comments-of-post.sql", "select-large-comments-of-post.sql",
                    "select-replies.sql", "select-large-replies.sql", "select-missed.sql")) {
                String sql = Files.readString(Path.of("routes/sql", file));
                List<String> names = PARAMETER.matcher(sql).results().map(name -> name.group(1)).distinct().toList();
                statement.execute("PREPARE one (" + String.join(", ", names.stream().map(types::get).toList()) + ") AS "
                        + PARAMETER.matcher(sql).replaceAll(name -> "\\$" + (names.indexOf(name.group(1)) + 1)));
                List<String> plan = new ArrayList<>();
                try (ResultSet rows = statement.executeQuery("EXPLAIN EXECUTE one ("
                        + String.join(", ", Collections.nCopies(names.size(), "NULL")) + ")")) {
                    while (rows.next()) {
                        plan.add(rows.getString(1));
                    }
                }
                statement.execute("DEALLOCATE one");
                assertThat(plan).as(file).anyMatch(line -> line.matches(".*Index Scan (Backward )?using comments_(pkey|by_time_and_post|by_time_and_parent) .*"))
                        .noneMatch(line -> line.contains("Seq Scan") || line.contains("Bitmap"))
                        .noneMatch(line -> line.matches(".*Sort Key: comments\\..*")
                                && !plan.get(plan.indexOf(line) + 1).contains("Presorted"));
            }
        }
    }

    @Test
    void whileTheDatabaseIsAwayEveryReadIsRefusedAtOnce() throws Exception {
        try (Proxy proxy = new Proxy(URI.create(database.substring("jdbc:".length())).getPort());
                TestPipeline reader = TestPipeline.start(Map.of("COMMENTS_ROLES", "comment-reader", "POSTGRES_USER", "postgres",
                        "RABBITMQ_URI", "amqp://127.0.0.1:1", "POSTGRES_URL", database.replaceFirst(":\\d+/", ":" + proxy.port() + "/")))) {
            HttpRequest.Builder request = HttpRequest.newBuilder(reader.uri("/comments?postId=p"));
            assertThat(reader.send(request).statusCode()).isEqualTo(200);
            proxy.blackHole();
            assertThatAllAreRefusedAtOnce(reader, request);
            proxy.release();
            await().atMost(Duration.ofSeconds(15)).until(() -> reader.send(request).statusCode() == 200);
            proxy.close();
            assertThatAllAreRefusedAtOnce(reader, request);
        }
    }

    @Test
    void aDatabaseThatWasNeverThereKeepsNobodyEither() throws Exception {
        try (Proxy proxy = new Proxy(URI.create(database.substring("jdbc:".length())).getPort());
                TestPipeline reader = TestPipeline.start(Map.of("COMMENTS_ROLES", "comment-reader", "POSTGRES_USER", "postgres",
                        "RABBITMQ_URI", "amqp://127.0.0.1:1", "POSTGRES_URL", database.replaceFirst(":\\d+/", ":" + proxy.port() + "/")))) {
            proxy.blackHole();
            assertThatAllAreRefusedAtOnce(reader, HttpRequest.newBuilder(reader.uri("/comments?postId=p")));
        }
    }

    private static void assertThatAllAreRefusedAtOnce(TestPipeline reader, HttpRequest.Builder request) throws Exception {
        // those who ask when it goes away wait as long as a connection does
        await().atMost(Duration.ofSeconds(15)).until(() -> reader.send(request).statusCode() == 503);
        // without the pause, 20 threads would wait half a second for each of them
        long sent = System.nanoTime();
        List<CompletableFuture<Duration>> answers = IntStream.range(0, 200).mapToObj(i -> reader.sendAsync(request).thenApply(answer -> {
            assertThat(answer.statusCode()).isEqualTo(503);
            return Duration.ofNanos(System.nanoTime() - sent);
        })).toList();
        // but for who tries whether it is back
        assertThat(answers.stream().map(CompletableFuture::join).filter(took -> took.toSeconds() >= 3)).hasSizeLessThan(5);
    }

    @Test
    void halfReadAnswersLeakNothing() throws Exception {
        for (int i = 0; i < 40; i++) {
            insert("p", "x".repeat(10_000), null, "2026-11-22T10:00:%02dZ".formatted(i));
        }
        int answered = 0;
        byte[] request = "GET /comments?postId=p&limit=1000 HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(US_ASCII);
        for (int wave = 0; wave < 20; wave++) {
            List<Socket> readers = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                Socket reader = new Socket();
                reader.setReceiveBufferSize(4_096);
                reader.connect(new InetSocketAddress("127.0.0.1", pipeline.port()));
                reader.getOutputStream().write(request);
                readers.add(reader);
            }
            for (int i = 0; i < readers.size(); i++) {
                Socket reader = readers.get(i);
                // some leave before the answer, some in its midst, some in order and some not
                if (i % 4 != 0) {
                    String line = new String(reader.getInputStream().readNBytes(12), US_ASCII);
                    // 503 where a connection is too long in coming, on a slow machine
                    assertThat(line).isIn("HTTP/1.1 200", "HTTP/1.1 503");
                    answered += line.endsWith("200") ? 1 : 0;
                }
                reader.setSoLinger(i % 2 == 0, 0);
                reader.close();
            }
        }
        assertThat(answered).as("of 1,500").isGreaterThan(750);
        ReactiveSqlComponent reads = pipeline.bean("reactive-sql", ReactiveSqlComponent.class);
        HttpEngine engine = pipeline.bean("platform-http-engine", HttpEngine.class);
        await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> {
            assertThat(reads.unanswered()).isZero();
            assertThat(engine.isIdle()).isTrue();
            assertThat(pipeline.context().getInflightRepository().size()).isZero();
        });
        assertThat(idsOf(get("/comments?postId=p"))).isNotEmpty();
    }

    @Test
    void moreReadersThanConnectionsAreAllAnswered() throws Exception {
        UUID id = insert("p", 1);
        ExecutorService readers = Executors.newFixedThreadPool(50);
        try {
            List<Future<Integer>> statuses = readers.invokeAll(Collections.nCopies(1_000, () -> get("/comments/" + id).statusCode()));
            for (Future<Integer> status : statuses) {
                assertThat(status.get()).isEqualTo(200);
            }
        } finally {
            readers.shutdown();
        }
    }
}
