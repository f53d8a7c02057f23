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
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SchemaMigrationTest {

    private static final DefaultCamelContext CONTEXT = new DefaultCamelContext();
    private static final String FIRST = "sql/V1__comments.sql";
    private static final String FORMER = FIRST + ",sql/V2__comment_quarantine.sql,sql/V3__reading.sql";
    private static final String ALL = FORMER + ",sql/V4__reading_by_time.sql,sql/V5__former_indexes.sql,sql/V6__changes.sql,sql/V7__user_erasures.sql"
            + ",sql/V8__retention.sql"
            + ",sql/V9__counted_periods.sql,sql/V10__changed_at.sql,sql/V11__changes_by_time.sql,sql/V12__quarantined_comments.sql"
            + ",sql/V13__late_changes.sql";

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
        assertThat(versions("comments_schema_history")).containsExactly("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13");
        assertThat(select("SELECT to_regclass('flyway_schema_history')")).containsOnlyNulls();
        migrate(ALL);
        assertThat(versions("comments_schema_history")).hasSize(13);
    }

    @Test
    void otherTablesInTheSchemaAreLeftAlone() throws Exception {
        execute("CREATE TABLE orders (id int)");
        List<CompletableFuture<Void>> starts = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            starts.add(startMigration());
        }
        starts.forEach(CompletableFuture::join);
        assertThat(versions("comments_schema_history")).containsExactly("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13");
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
        assertThat(versions("comments_schema_history")).containsExactly("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13");
        assertThat(select("SELECT checksum FROM flyway_schema_history")).containsExactly("42");
    }

    /** Made by Flyway as version 1.0 had it, which kept its history under Flyway's own name. */
    @Test
    void theHistoryOfAFormerVersionIsContinued() throws Exception {
        migrate(FIRST);
        execute("ALTER TABLE comments_schema_history RENAME TO flyway_schema_history");
        migrate(ALL);
        assertThat(versions("flyway_schema_history")).containsExactly("1", "2", "3", "4", "6", "7", "8", "9", "10", "11", "12", "13");
        assertThat(select("SELECT to_regclass('comments_schema_history')")).containsOnlyNulls();
    }

    @Test
    void whiteSpaceAroundTheSettingsIsIgnored() throws Exception {
        String given = url;
        url = given + "\n";
        migrate(ALL);
        url = given;
        assertThat(versions("comments_schema_history")).hasSize(13);
    }
}
