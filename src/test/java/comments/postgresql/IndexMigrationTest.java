package comments.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import comments.support.TestServers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.impl.DefaultCamelContext;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The indexes of a table with rows are changed while processes of the former version read and write. */
class IndexMigrationTest {

    private static final DefaultCamelContext CONTEXT = new DefaultCamelContext();
    private static final String FORMER = "sql/V1__comments.sql,sql/V2__comment_quarantine.sql,sql/V3__reading.sql";
    private static final String ALL = FORMER + ",sql/V4__reading_by_time.sql,sql/V5__former_indexes.sql,sql/V6__changes.sql,sql/V7__user_erasures.sql"
            + ",sql/V8__retention.sql"
            + ",sql/V9__counted_periods.sql,sql/V10__changed_at.sql,sql/V11__changes_by_time.sql,sql/V12__quarantined_comments.sql"
            + ",sql/V13__late_changes.sql";
    private static final String INSERT = "INSERT INTO comments VALUES (gen_random_uuid(), 'p', 'u', 'Ann', 'Hi', NULL, now())";
    /** As readers of the former version do, which refuse a read that takes longer than 2 s. */
    private static final String FORMER_READ = "SELECT count(*) FROM (SELECT FROM comments WHERE hashtextextended(post_id, 0)"
            + " = hashtextextended('post-17', 0) AND post_id = 'post-17' ORDER BY accepted_at DESC LIMIT 50) AS page";

    private String url;

    @AfterAll
    static void close() throws Exception {
        CONTEXT.close();
    }

    @BeforeEach
    void fillTheFormerVersion() throws Exception {
        url = TestServers.newDatabase();
        migrate(FORMER);
        execute("INSERT INTO comments SELECT gen_random_uuid(), 'post-' || i % 1000, 'u', 'Ann', 'c',"
                + " CASE WHEN i % 10 = 0 THEN gen_random_uuid() END, now() - i * interval '1 minute', now()"
                + " FROM generate_series(1, 100000) i");
    }

    private void migrate(String scripts) throws SQLException {
        SchemaMigration schema = new SchemaMigration();
        schema.setCamelContext(CONTEXT);
        schema.setJdbcUrl(url);
        schema.setUsername("postgres");
        schema.setScripts(scripts);
        schema.await(0);
    }

    private CompletableFuture<Void> startMigration() {
        return CompletableFuture.runAsync(() -> {
            try {
                migrate(ALL);
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private void execute(String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url); Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private List<String> select(String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url); Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            List<String> rows = new ArrayList<>();
            while (row.next()) {
                rows.add(row.getString(1));
            }
            return rows;
        }
    }

    private List<String> versions() throws SQLException {
        return select("SELECT version FROM comments_schema_history WHERE success AND type = 'JDBC' ORDER BY installed_rank");
    }

    private List<String> validIndexes() throws SQLException {
        return select("SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'comments'::regclass AND indisvalid");
    }

    private void makeOld(String version) throws SQLException {
        execute("UPDATE comments_schema_history SET installed_on = installed_on - interval '2 days' WHERE version = '" + version + "'");
    }

    @Test
    void writersAndReadersOfTheFormerVersionGoOn() throws Exception {
        AtomicInteger done = new AtomicInteger();
        List<Throwable> failures = new ArrayList<>();
        ScheduledExecutorService former = Executors.newSingleThreadScheduledExecutor();
        try (Connection open = DriverManager.getConnection(url); Statement statement = open.createStatement()) {
            former.scheduleWithFixedDelay(() -> {
                try {
                    execute("SET statement_timeout = '2s'; SET enable_seqscan = off; " + INSERT + "; " + FORMER_READ);
                    done.incrementAndGet();
                } catch (SQLException e) {
                    failures.add(e);
                }
            }, 0, 20, TimeUnit.MILLISECONDS);
            open.setAutoCommit(false);
            statement.execute(INSERT);
            List<CompletableFuture<Void>> starts = List.of(startMigration(), startMigration());
            Awaitility.await().until(() -> !select("SELECT pid FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%'"
                    + " AND wait_event_type = 'Lock' AND datname = current_database()").isEmpty());
            int before = done.get();
            Awaitility.await().until(() -> done.get() > before + 10);
            open.commit();
            starts.forEach(CompletableFuture::join);
        } finally {
            former.shutdown();
            former.awaitTermination(10, TimeUnit.SECONDS);
        }
        assertThat(failures).isEmpty();
        assertThat(versions()).containsExactly("1", "2", "3", "4", "6", "7", "8", "9", "10", "11", "12", "13");
        assertThat(validIndexes()).contains("comments_by_post", "comments_by_parent", "comments_by_time_and_post",
                "comments_by_time_and_parent", "comments_by_change");
        assertThat(select("EXPLAIN " + FORMER_READ)).anyMatch(line -> line.contains("comments_by_post"));
        assertThat(select("SELECT count(*) FROM comments WHERE post_id = 'p'")).containsExactly(Integer.toString(done.get() + 1));
    }

    @Test
    void anIndexThatWasBrokenOffIsBuiltAgain() throws Exception {
        execute("CREATE INDEX comments_by_time_and_post ON comments (user_name)");
        execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'comments_by_time_and_post'::regclass");
        migrate(ALL);
        assertThat(validIndexes()).contains("comments_by_time_and_post");
        assertThat(select("SELECT indexdef FROM pg_indexes WHERE indexname = 'comments_by_time_and_post'").get(0)).contains("date_bin");
    }

    @Test
    void theFormerIndexesAreDroppedByAStartADayLater() throws Exception {
        migrate(ALL);
        migrate(ALL);
        assertThat(versions()).containsExactly("1", "2", "3", "4", "6", "7", "8", "9", "10", "11", "12", "13");
        makeOld("4");
        try (Connection open = DriverManager.getConnection(url); Statement statement = open.createStatement()) {
            open.setAutoCommit(false);
            statement.execute(FORMER_READ);
            List<CompletableFuture<Void>> starts = List.of(startMigration(), startMigration());
            Awaitility.await().until(() -> !select("SELECT pid FROM pg_stat_activity WHERE query LIKE 'DROP INDEX CONCURRENTLY%'"
                    + " AND wait_event_type = 'Lock' AND datname = current_database()").isEmpty());
            execute("SET lock_timeout = '2s'; " + INSERT);
            open.commit();
            starts.forEach(CompletableFuture::join);
        }
        assertThat(versions()).containsExactly("1", "2", "3", "4", "6", "7", "8", "9", "10", "11", "12", "13", "5");
        assertThat(validIndexes()).containsExactlyInAnyOrder("comments_by_time_and_parent", "comments_by_time_and_post", "comments_by_change",
                "comments_pkey");
        // a process of the former version that starts again
        migrate(FORMER);
        assertThat(versions()).hasSize(13);
    }

    /** The statements of pages repeat the expressions of the index. */
    @Test
    void aPageReadsOnlyThePeriodsThatItNeeds() throws Exception {
        migrate(ALL);
        execute("ANALYZE comments");
        String page = Files.readString(Path.of("routes/sql/select-comments-of-post.sql")).replace(":?postId", "'post-17'")
                .replace(":?acceptedAt", "now()").replace(":?id", "gen_random_uuid()").replace(":?limit", "20").replace(":?share", "4096");
        assertThat(select("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) " + page))
                .anyMatch(line -> line.matches(".*Index Scan Backward using comments_by_time_and_post on comments .*loops=[12]\\).*"));
    }
}
