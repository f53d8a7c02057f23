package comments;

import static org.assertj.core.api.Assertions.assertThat;

import comments.support.JarProcess;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Processes that start on a database as it comes. */
class StartOnDatabaseTest {

    private static EmbeddedBroker broker;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    private static Map<String, String> settings(String url) {
        return new HashMap<>(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", url.replaceFirst("\\?.*", ""),
                "POSTGRES_USER", "postgres", "POSTGRES_PASSWORD", TestServers.password()));
    }

    private static JarProcess launch(Map<String, String> settings, String... options) throws Exception {
        List<String> arguments = new java.util.ArrayList<>(List.of(options));
        arguments.addAll(List.of("-cp", System.getProperty("java.class.path"), "comments.CommentPipeline"));
        return JarProcess.launch(settings, arguments);
    }

    private static void assertThatItWorks(JarProcess pipeline) throws Exception {
        pipeline.awaitReady();
        assertThat(pipeline.post(TestPipeline.COMMENT).statusCode()).isEqualTo(202);
    }

    @Test
    void aDatabaseThatCanNotHoldEveryCharacterEndsTheStartWithOneLine() throws Exception {
        String url = TestServers.newDatabase();
        try (Connection connection = DriverManager.getConnection(url); Statement statement = connection.createStatement()) {
            statement.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
        }
        try (JarProcess pipeline = launch(settings(url.replaceFirst("/test\\d+", "/latin")))) {
            assertThat(pipeline.awaitEnd()).isEqualTo(1);
            assertThat(pipeline.log()).containsExactly("comment-service: POSTGRES_URL, POSTGRES_USER, POSTGRES_PASSWORD:"
                    + " the database can't be used: the database has the encoding LATIN1, and must have UTF8");
        }
    }

    @Test
    void aTimeZoneThatTheDatabaseDoesNotKnowDoesNotMatter() throws Exception {
        try (JarProcess pipeline = launch(settings(TestServers.newDatabase()), "-Duser.timezone=IST")) {
            assertThatItWorks(pipeline);
        }
    }

    /** As in a file that is mounted as a secret. */
    @Test
    void aLineBreakAtTheEndOfASettingDoesNotMatter() throws Exception {
        Map<String, String> settings = settings(TestServers.newDatabase());
        settings.replaceAll((name, value) -> name.startsWith("POSTGRES_") ? value + "\n" : value);
        try (JarProcess pipeline = launch(settings)) {
            assertThatItWorks(pipeline);
        }
    }

    @Test
    void theWritersHaveAConnectionEach() throws Exception {
        Map<String, String> settings = settings(TestServers.newDatabase());
        settings.put("COMMENTS_WRITERS", "24");
        try (TestPipeline pipeline = TestPipeline.start(settings)) {
            assertThat(pipeline.bean("comments", comments.postgresql.PostgresDataSource.class).getMaximumPoolSize())
                    .isGreaterThanOrEqualTo(24);
        }
    }
}
