package comments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import comments.support.JarProcess;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** With {@code LOG_FORMAT=json}, each line that a process writes is a JSON object, whatever becomes of it. */
public class LogFormatTest {

    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    /** Logs what has more than one line. */
    static final class Failure {

        private Failure() {
        }

        public static void main(String[] arguments) {
            LoggerFactory.getLogger(Failure.class).error("first line\n\"second\" line", new IllegalStateException("why\nnot"));
        }
    }

    private static JarProcess launch(Map<String, String> knobs, String... more) throws IOException {
        return launch("comments.CommentPipeline", knobs, more);
    }

    private static JarProcess launch(String main, Map<String, String> knobs, String... more) throws IOException {
        Map<String, String> all = new HashMap<>(knobs);
        all.put("LOG_FORMAT", "json");
        for (int i = 0; i < more.length; i += 2) {
            all.put(more[i], more[i + 1]);
        }
        return JarProcess.launchClass(main, all);
    }

    /** The lines, each parsed. */
    public static List<JsonNode> lines(JarProcess process) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : process.log().toList()) {
            try {
                lines.add(JSON.readTree(line));
            } catch (JsonProcessingException e) {
                throw new AssertionError("not JSON: " + line, e);
            }
        }
        assertThat(lines).isNotEmpty().allSatisfy(line -> {
            assertThat(line.get("timestamp").asLong()).isPositive();
            assertThat(line.get("level").asText()).isIn("INFO", "WARN", "ERROR");
            assertThat(line.get("loggerName").asText()).isNotEmpty();
            assertThat(line.has("formattedMessage")).isTrue();
        });
        return lines;
    }

    private static List<String> messages(JarProcess process) throws IOException {
        return lines(process).stream().map(line -> line.get("formattedMessage").asText()).toList();
    }

    @Test
    void aRunIsJsonFromItsStartThroughTheLossOfTheBrokerToItsEnd() throws Exception {
        EmbeddedBroker broker = EmbeddedBroker.startInMemory();
        try (JarProcess process = launch(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", TestServers.newDatabase()))) {
            process.awaitReady();
            assertThat(process.post(TestPipeline.COMMENT).statusCode()).isEqualTo(202);
            await().atMost(Duration.ofSeconds(30)).until(() -> messages(process).stream()
                    .anyMatch(line -> line.startsWith("Pushed 1 comment of 1 post in ")));
            broker.close();
            await().atMost(Duration.ofSeconds(30)).untilAsserted(() ->
                    assertThat(lines(process)).extracting(line -> line.get("level").asText()).contains("ERROR"));
            process.terminate();
            assertThat(messages(process)).anyMatch(message -> message.startsWith("Ending: "));
        } finally {
            broker.close();
        }
    }

    @Test
    void aStackTraceIsInItsLine() throws Exception {
        try (JarProcess process = launch(Failure.class.getName(), Map.of())) {
            process.awaitEnd();
            assertThat(lines(process)).singleElement().satisfies(line -> {
                assertThat(line.get("formattedMessage").asText()).isEqualTo("first line\n\"second\" line");
                assertThat(line.at("/throwable/message").asText()).isEqualTo("why\nnot");
                assertThat(line.at("/throwable/stepArray")).isNotEmpty();
            });
        }
    }

    @Test
    void aStartThatFailsIsOneLineOfJson() throws Exception {
        try (JarProcess process = launch(Map.of("RABBITMQ_URI", "amqp://guest:guest@127.0.0.1:1"),
                "COMMENTS_BATCH_SIZE", "many", "COMMENTS_ROLES", "comment-service")) {
            assertThat(process.awaitEnd()).isEqualTo(1);
            assertThat(messages(process)).singleElement()
                    .isEqualTo("COMMENTS_BATCH_SIZE=many must be a whole number from 1 to 100000");
        }
    }

    @Test
    void aFormatThatDoesNotExistIsNamed() throws Exception {
        try (JarProcess process = launch(Map.of("RABBITMQ_URI", "amqp://guest:guest@127.0.0.1:1"), "LOG_FORMAT", "xml",
                "COMMENTS_ROLES", "comment-service")) {
            assertThat(process.awaitEnd()).isEqualTo(1);
            assertThat(process.log()).containsExactly("comment-service: LOG_FORMAT=xml must be text or json");
        }
    }
}
