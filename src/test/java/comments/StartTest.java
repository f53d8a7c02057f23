package comments;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import comments.support.Ports;
import comments.support.TestServers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A start that can't succeed ends with one line that says why, and an exit code. */
class StartTest {

    private static final Map<String, String> RIGHT = new HashMap<>();

    private static EmbeddedBroker broker;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        RIGHT.put("RABBITMQ_URI", broker.uri());
        RIGHT.put("POSTGRES_URL", TestServers.newDatabase());
        RIGHT.put("POSTGRES_USER", "postgres");
        RIGHT.put("HTTP_PORT", Integer.toString(Ports.find()));
        RIGHT.put("MANAGEMENT_PORT", Integer.toString(Ports.find()));
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    /** Starts with the right settings but for those given; null stands for none. Returns what was printed. */
    private static String failure(Map<String, String> wrong) {
        Map<String, String> settings = new HashMap<>(RIGHT);
        settings.putAll(wrong);
        settings.values().removeIf(java.util.Objects::isNull);
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        try {
            System.setOut(new PrintStream(printed, true, UTF_8));
            System.setErr(System.out);
            settings.forEach(System::setProperty);
            assertThat(CommentPipeline.run()).isEqualTo(1);
        } finally {
            settings.keySet().forEach(System::clearProperty);
            System.setOut(out);
            System.setErr(err);
        }
        return printed.toString(UTF_8);
    }

    private static String failure(String name, String value) {
        Map<String, String> wrong = new HashMap<>();
        wrong.put(name, value);
        return failure(wrong);
    }

    private static void assertOneLine(String printed, String... parts) {
        assertThat(printed.strip().lines()).as(printed).hasSize(1);
        assertThat(printed).startsWith("comment-service: ").contains(parts);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "COMMENTS_BATCH_SIZE | abc | COMMENTS_BATCH_SIZE=abc must be a whole number from 1 to 100000",
        "COMMENTS_BATCH_SIZE | -4 | COMMENTS_BATCH_SIZE=-4 must be a whole number",
        "COMMENTS_ROLES | comment-server | COMMENTS_ROLES=comment-server must be any of",
        "RABBITMQ_URI | amqp://guest:secret@127.0.0.1:1 | RABBITMQ_URI: the broker at 127.0.0.1:1 can't be used: Connection refused",
        "POSTGRES_URL | jdbc:postgresql://127.0.0.1:1/test | POSTGRES_URL, POSTGRES_USER, POSTGRES_PASSWORD: the database can't be used",
        "NOTIFICATIONS_PUSH_ENDPOINT | nothing:here | NOTIFICATIONS_PUSH_ENDPOINT must be a Camel endpoint: No endpoint could be found for: nothing://here",
        "MANAGEMENT_HOST | 192.0.2.1 | MANAGEMENT_HOST=192.0.2.1, MANAGEMENT_PORT="})
    void aWrongSettingIsNamed(String name, String value, String complaint) {
        String printed = failure(name, value);
        assertOneLine(printed, complaint);
        assertThat(printed).doesNotContain("secret");
    }

    @Test
    void missingServersAreNamed() {
        Map<String, String> none = new HashMap<>();
        none.put("RABBITMQ_URI", null);
        none.put("POSTGRES_URL", null);
        assertOneLine(failure(none), "RABBITMQ_URI and POSTGRES_URL must be set");
        assertOneLine(failure("POSTGRES_URL", null), "POSTGRES_URL must be set");
    }

    @Test
    void aServiceThatNeedsNoDatabaseAsksForNone() {
        Map<String, String> none = new HashMap<>();
        none.put("RABBITMQ_URI", null);
        none.put("POSTGRES_URL", null);
        none.put("COMMENTS_ROLES", "notification-service");
        assertThat(failure(none)).contains("RABBITMQ_URI must be set").doesNotContain("POSTGRES_URL");
    }

    @Test
    void aPortThatIsTakenIsNamed() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            String port = Integer.toString(taken.getLocalPort());
            assertOneLine(failure("MANAGEMENT_PORT", port), "MANAGEMENT_PORT=" + port + ": can't listen there");
            assertOneLine(failure("HTTP_PORT", port), "HTTP_PORT=" + port + ": can't listen there");
        }
    }

    @Test
    void aWrongPasswordOfTheBrokerIsNamed() {
        assertOneLine(failure("RABBITMQ_URI", broker.uri().replaceFirst(":[^:@]+@", ":secret@")), "RABBITMQ_URI: the broker at");
    }
}
