package comments.support;

import comments.EmbeddedPostgreSQL;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Comparator;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Embedded servers for tests: one PostgreSQL for all of them, with a database for each; a broker for each. */
public final class TestServers {

    private static final AtomicInteger DATABASES = new AtomicInteger();
    private static EmbeddedPostgreSQL postgres;

    private TestServers() {
    }

    /** The password of the user {@code postgres}. */
    public static String password() {
        return postgres.password();
    }

    /** The scripts of the schema, in their order, as {@code SchemaMigration} takes them. */
    public static String migrations() throws IOException {
        try (Stream<Path> scripts = Files.list(Path.of("routes", "sql"))) {
            return scripts.map(script -> "sql/" + script.getFileName()).filter(script -> script.startsWith("sql/V"))
                    .sorted(Comparator.comparingInt(script -> Integer.parseInt(script.substring("sql/V".length(), script.indexOf("__")))))
                    .collect(Collectors.joining(","));
        }
    }

    /** The JDBC URL, with its user and password, of a new and empty database. */
    public static synchronized String newDatabase() throws IOException, SQLException {
        if (postgres == null) {
            postgres = EmbeddedPostgreSQL.startInTemporaryFolder();
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                try {
                    postgres.close();
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            }));
        }
        String name = "test" + DATABASES.incrementAndGet();
        try (Connection connection = DriverManager.getConnection(postgres.url(), postgres.user(), postgres.password());
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE DATABASE " + name);
        }
        int port = URI.create(postgres.url().substring("jdbc:".length())).getPort();
        return "jdbc:postgresql://127.0.0.1:%d/%s?user=%s&password=%s".formatted(port, name, postgres.user(), postgres.password());
    }
}
