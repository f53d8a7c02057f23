package comments.processor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import comments.EmbeddedBroker;
import comments.postgresql.PostgresDataSource;
import comments.support.ApiKeyHash;
import comments.support.TestMetrics;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** How long comments are kept. */
class RetentionTest {

    private static final Duration LIMIT = Duration.ofSeconds(30);

    private EmbeddedBroker broker;
    private String url;
    private Connection database;

    @BeforeEach
    void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        url = TestServers.newDatabase();
        database = DriverManager.getConnection(url);
    }

    @AfterEach
    void stop() throws SQLException {
        database.close();
        broker.close();
    }

    private TestPipeline pipeline(int days, String... more) throws Exception {
        Map<String, String> settings = new HashMap<>(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", url, "POSTGRES_USER", "postgres",
                "COMMENTS_ROLES", "comment-changes", "COMMENTS_RETENTION", "" + days));
        for (int i = 0; i < more.length; i += 2) {
            settings.put(more[i], more[i + 1]);
        }
        return TestPipeline.start(settings);
    }

    private void makeSchema() throws Exception {
        try (TestPipeline forEver = pipeline(0)) {
            forEver.bean("comments", PostgresDataSource.class).getConnection().close();
            assertThat(forEver.context().getRoute("comment-changes-retention")).isNull();
        }
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = database.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Comments of many posts, each one step older than the one before. */
    private void insert(int comments, String youngest, String step) throws SQLException {
        execute("""
                INSERT INTO comments (id, post_id, user_id, user_name, content, accepted_at)
                SELECT gen_random_uuid(), 'post-' || i %% 97, 'u', 'Ann', 'c', now() - interval '%s' - i * interval '%s'
                FROM generate_series(0, %d - 1) AS i""".formatted(youngest, step, comments));
    }

    private long number(String sql) throws SQLException {
        try (Statement statement = database.createStatement(); ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        }
    }

    private long comments() throws SQLException {
        return number("SELECT count(*) FROM comments");
    }

    @Test
    void whatIsOlderIsDeletedAndNothingElse() throws Exception {
        makeSchema();
        // more than one statement deletes, over many periods, and many of one time
        insert(6_000, "90 days 1 minute", "2 hours");
        execute("""
                INSERT INTO comments (id, post_id, user_id, user_name, content, accepted_at)
                SELECT gen_random_uuid(), 'imported', 'u', 'Ann', 'c', '2001-02-03Z' FROM generate_series(1, 6000)""");
        execute("UPDATE comments SET accepted_at = '0044-03-15Z BC' WHERE ctid = (SELECT ctid FROM comments LIMIT 1)");
        assertThat(comments()).isEqualTo(12_000);
        insert(1_000, "0 days", "2 hours");
        insert(1, "90 days -10 minutes", "0");
        double before = deleted();
        try (TestPipeline bounded = pipeline(90)) {
            await().atMost(LIMIT).until(() -> comments() == 1_001);
            await().untilAsserted(() -> assertThat(deleted() - before).isEqualTo(12_000));
        }
        assertThat(number("SELECT count(*) FROM comments WHERE accepted_at < now() - interval '90 days'")).isZero();
    }

    private static double deleted() {
        return TestMetrics.count("comments.deleted");
    }

    @Test
    void whatAChangeLocksIsLeftForTheNextTime() throws Exception {
        makeSchema();
        insert(100, "31 days", "1 minute");
        database.setAutoCommit(false);
        execute("UPDATE comments SET content = 'edited' WHERE id = (SELECT id FROM comments ORDER BY accepted_at LIMIT 1)");
        try (Connection other = DriverManager.getConnection(url); Statement statement = other.createStatement();
                TestPipeline bounded = pipeline(30)) {
            await().atMost(LIMIT).until(() -> {
                try (ResultSet row = statement.executeQuery("SELECT count(*) FROM comments")) {
                    return row.next() && row.getLong(1) == 1;
                }
            });
        }
        database.commit();
        database.setAutoCommit(true);
        try (TestPipeline nextDay = pipeline(30)) {
            await().atMost(LIMIT).until(() -> comments() == 0);
        }
    }

    @Test
    void aProcessThatEndsDoesNotWaitForTheOldestComment() throws Exception {
        makeSchema();
        insert(60_000, "31 days", "1 second");
        try (TestPipeline bounded = pipeline(30)) {
            await().atMost(LIMIT).until(() -> comments() < 60_000);
            Instant end = Instant.now();
            bounded.close();
            assertThat(Duration.between(end, Instant.now())).isLessThan(Duration.ofSeconds(8));
        }
        assertThat(comments()).isBetween(1L, 55_000L);
        try (TestPipeline again = pipeline(30)) {
            await().atMost(LIMIT).until(() -> comments() == 0);
        }
    }

    @Test
    void whileTheDatabaseRefusesItIsTriedAgain() throws Exception {
        makeSchema();
        insert(10, "31 days", "1 minute");
        execute("ALTER TABLE comments RENAME TO away");
        try (TestPipeline bounded = pipeline(30, "POSTGRES_MIGRATE", "false")) {
            // the other timers fail, too
            await().atMost(LIMIT).untilAsserted(() -> assertThat(bounded.observe("health"))
                    .contains("retrying-timers", "comment-changes-retention was tried ", "SQLSTATE 42P01", "\"DOWN\""));
            assertThat(bounded.observe("health/ready")).contains("\"UP\"").doesNotContain("\"DOWN\"");
            execute("ALTER TABLE away RENAME TO comments");
            await().atMost(LIMIT).until(() -> comments() == 0);
        }
    }

    @Test
    void aProcessThatEndsWhileItTriesAgainLogsNoStackTrace() throws Exception {
        makeSchema();
        execute("ALTER TABLE comments RENAME TO away");
        Logger logger = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        try (TestPipeline ending = pipeline(30, "POSTGRES_MIGRATE", "false", "COMMENTS_RETRY_DELAY", "10000")) {
            double retries = retries();
            await().atMost(LIMIT).until(() -> retries() > retries);
            logger.addAppender(log);
        } finally {
            logger.detachAppender(log);
        }
        assertThat(log.list).filteredOn(event -> event.getLevel().isGreaterOrEqual(Level.WARN)).isEmpty();
    }

    private static double retries() {
        return TestMetrics.count("comments.retries");
    }

    /** Neither answered with 202 nor dropped in silence. */
    @Test
    void anImportedCommentThatIsOlderIsRefused() throws Exception {
        Instant now = Instant.now().truncatedTo(ChronoUnit.MILLIS);
        try (TestPipeline bounded = pipeline(30, "COMMENTS_ROLES", "comment-service,comment-job-processor",
                "COMMENTS_API_KEYS", "ann:" + ApiKeyHash.of("key") + ":post+import")) {
            HttpResponse<String> old = post(bounded, "[" + imported(now.minus(29, ChronoUnit.DAYS)) + ","
                    + imported(now.minus(31, ChronoUnit.DAYS)) + "]");
            assertThat(old.statusCode()).as(old.body()).isEqualTo(422);
            assertThat(old.body()).contains("\"#/1/acceptedAt\"", "must not be more than 30 days ago: comments are kept for so long")
                    .doesNotContain("#/0");
            HttpResponse<String> one = post(bounded, imported(now.minus(31, ChronoUnit.DAYS)));
            assertThat(one.statusCode()).isEqualTo(422);
            assertThat(one.body()).contains("\"#/acceptedAt\"");
            HttpResponse<String> young = post(bounded, imported(now.minus(29, ChronoUnit.DAYS)));
            assertThat(young.statusCode()).as(young.body()).isEqualTo(202);
            await().atMost(LIMIT).ignoreExceptionsInstanceOf(SQLException.class).until(() -> comments() == 1);
        }
    }

    private static String imported(Instant acceptedAt) {
        return "{\"id\":\"%s\",\"acceptedAt\":\"%s\",\"postId\":\"p\",\"userId\":\"u\",\"userName\":\"Ann\",\"content\":\"c\"}"
                .formatted(UUID.randomUUID(), acceptedAt);
    }

    private static HttpResponse<String> post(TestPipeline pipeline, String body) throws Exception {
        return pipeline.send(HttpRequest.newBuilder(pipeline.uri("/comments")).header("Authorization", "Bearer key")
                .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(body)));
    }
}
