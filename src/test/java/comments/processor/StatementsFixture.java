package comments.processor;

import comments.postgresql.SchemaMigration;
import comments.support.TestServers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** What the tests of the statements in routes/sql share: a database with the schema, and no route. */
abstract class StatementsFixture {

    static Connection database;

    private static DefaultCamelContext context;

    @BeforeAll
    static void makeTheSchema() throws Exception {
        String url = TestServers.newDatabase();
        context = new DefaultCamelContext();
        SchemaMigration schema = new SchemaMigration();
        schema.setCamelContext(context);
        schema.setJdbcUrl(url);
        schema.setUsername("postgres");
        schema.setScripts(TestServers.migrations());
        schema.await(0);
        database = DriverManager.getConnection(url);
    }

    @AfterAll
    static void close() throws Exception {
        database.close();
        context.close();
    }

    // a statement of the routes may have a % of its own
    private static String with(Object[] values, String sql) {
        return values.length == 0 ? sql : sql.formatted(values);
    }

    /** Executes a statement, with the values in the places of {@code %s}. */
    static void execute(String sql, Object... values) throws SQLException {
        try (Statement statement = database.createStatement()) {
            statement.execute(with(values, sql));
        }
    }

    /** The first column of the first row; null if there is none. */
    static String select(String sql, Object... values) throws SQLException {
        try (Statement statement = database.createStatement(); ResultSet row = statement.executeQuery(with(values, sql))) {
            return row.next() ? row.getString(1) : null;
        }
    }

    /** A statement of the routes. */
    static String sql(String statement) throws IOException {
        return Files.readString(Path.of("routes", "sql", statement + ".sql"));
    }
}
