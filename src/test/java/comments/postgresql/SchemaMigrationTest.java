package comments.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import comments.support.TestServers;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.camel.impl.DefaultCamelContext;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SchemaMigrationTest {

    private static final DefaultCamelContext CONTEXT = new DefaultCamelContext();
    private static final String FIRST = "sql/V1__comments.sql";
    private static final String ALL = FIRST + ",sql/V2__comment_quarantine.sql,sql/V3__reading.sql";

    private String url;

    @AfterAll
    static void close() throws Exception {
        CONTEXT.close();
    }

    @BeforeEach
    void create() throws Exception {
        url = TestServers.newDatabase();
    }

    private void migrate(String scripts) throws SQLException {
        SchemaMigration schema = new SchemaMigration();
        schema.setCamelContext(CONTEXT);
        schema.setJdbcUrl(url);
        schema.setUsername("postgres");
        schema.setScripts(scripts);
        schema.await(0);
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

    private List<String> versions(String history) throws SQLException {
        return select("SELECT version FROM %s WHERE success AND type = 'JDBC' ORDER BY installed_rank".formatted(history));
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

    @Test
    void anEmptyDatabaseGetsAHistoryOfOurOwn() throws Exception {
        migrate(ALL);
        assertThat(versions("comments_schema_history")).containsExactly("1", "2", "3");
        assertThat(select("SELECT to_regclass('flyway_schema_history')")).containsOnlyNulls();
        migrate(ALL);
        assertThat(versions("comments_schema_history")).hasSize(3);
    }

    @Test
    void otherTablesInTheSchemaAreLeftAlone() throws Exception {
        execute("CREATE TABLE orders (id int)");
        List<CompletableFuture<Void>> starts = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            starts.add(startMigration());
        }
        starts.forEach(CompletableFuture::join);
        assertThat(versions("comments_schema_history")).containsExactly("1", "2", "3");
        assertThat(select("SELECT id FROM orders")).isEmpty();
    }

    @Test
    void anotherApplicationMayUseFlywayInTheSameSchema() throws Exception {
        execute("CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, version varchar(50),"
                + " description varchar(200) NOT NULL, type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum int,"
                + " installed_by varchar(100) NOT NULL, installed_on timestamp NOT NULL DEFAULT now(),"
                + " execution_time int NOT NULL, success boolean NOT NULL)");
        execute("INSERT INTO flyway_schema_history"
                + " VALUES (1, '1', 'comments', 'SQL', 'V1__comments.sql', 42, 'shop', now(), 1, true)");
        migrate(ALL);
        assertThat(versions("comments_schema_history")).containsExactly("1", "2", "3");
        assertThat(select("SELECT checksum FROM flyway_schema_history")).containsExactly("42");
    }

    /** Made by Flyway as version 1.0 had it, which kept its history under Flyway's own name. */
    @Test
    void theHistoryOfAFormerVersionIsContinued() throws Exception {
        migrate(FIRST);
        execute("ALTER TABLE comments_schema_history RENAME TO flyway_schema_history");
        migrate(ALL);
        assertThat(versions("flyway_schema_history")).containsExactly("1", "2", "3");
        assertThat(select("SELECT to_regclass('comments_schema_history')")).containsOnlyNulls();
    }

    /** As those of a process of the former version, while the first of a new version starts. */
    @Test
    void writersGoOnWhileAnIndexIsBuilt() throws Exception {
        migrate(FIRST + ",sql/V2__comment_quarantine.sql");
        // left by a build that was broken off
        execute("CREATE INDEX comments_by_parent ON comments (parent_id)");
        execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'comments_by_parent'::regclass");
        String insert = "INSERT INTO comments VALUES (gen_random_uuid(), 'p', 'u', 'Ann', 'Hi', NULL, now())";
        try (Connection open = DriverManager.getConnection(url); Statement statement = open.createStatement()) {
            open.setAutoCommit(false);
            statement.execute(insert);
            List<CompletableFuture<Void>> starts = List.of(startMigration(), startMigration());
            Awaitility.await().until(() -> !select("SELECT pid FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%'"
                    + " AND wait_event_type = 'Lock' AND datname = current_database()").isEmpty());
            execute("SET lock_timeout = '2s'; " + insert);
            open.commit();
            starts.forEach(CompletableFuture::join);
        }
        assertThat(versions("comments_schema_history")).containsExactly("1", "2", "3");
        assertThat(select("SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'comments'::regclass AND indisvalid"))
                .contains("comments_by_post", "comments_by_parent");
        assertThat(select("SELECT indexdef FROM pg_indexes WHERE indexname = 'comments_by_parent'").get(0)).contains("accepted_at");
    }

    @Test
    void whiteSpaceAroundTheSettingsIsIgnored() throws Exception {
        String given = url;
        url = given + "\n";
        migrate(ALL);
        url = given;
        assertThat(versions("comments_schema_history")).hasSize(3);
    }
}
