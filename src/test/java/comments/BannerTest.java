package comments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.support.JarProcess;
import comments.support.TestServers;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What a run says in the terminal is true, and little. */
class BannerTest {

    private static final String LINE =
            "\\d\\d:\\d\\d:\\d\\d\\.\\d{3} INFO  (CommentPipeline|comment-job-processor|notification-service) .*|  [a-zA-Z].*";

    private static MatchResult find(JarProcess process, String pattern) throws IOException {
        return process.log().flatMap(line -> Pattern.compile(pattern).matcher(line).results()).findFirst()
                .orElseThrow(() -> new AssertionError(pattern));
    }

    private static int status(HttpRequest.Builder request) throws Exception {
        return HttpClient.newHttpClient().send(request.build(), BodyHandlers.ofString()).statusCode();
    }

    @Test
    void everyAddressThatIsNamedAnswersAndNothingElseIsSaid() throws Exception {
        EmbeddedBroker broker = EmbeddedBroker.startInMemory();
        try (JarProcess process = JarProcess.launchClass("comments.CommentPipeline",
                Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", TestServers.newDatabase()))) {
            process.awaitReady();
            await().atMost(Duration.ofSeconds(10)).until(() -> process.log().anyMatch(line -> line.startsWith("  metrics ")));
            for (String name : List.of("page", "API", "health", "metrics")) {
                URI address = URI.create(find(process, "^  " + name + " +(http://\\S+)$").group(1));
                assertThat(status(HttpRequest.newBuilder(address))).as(name).isEqualTo(200);
            }
            MatchResult example = find(process, "^  try it +curl -i (\\S+) -H '(\\S+): (\\S+)' -d '(.*)'$");
            assertThat(example.group(1)).isEqualTo(find(process, "^  comments +(\\S+)$").group(1));
            assertThat(status(HttpRequest.newBuilder(URI.create(example.group(1))).header(example.group(2), example.group(3))
                    .POST(HttpRequest.BodyPublishers.ofString(example.group(4))))).isEqualTo(202);
            // the batch is logged when its notification is confirmed, which may be pushed by then
            await().atMost(Duration.ofSeconds(30)).until(() -> process.pushed() == 1
                    && process.log().anyMatch(line -> line.contains(" Wrote ")));
            process.terminate();
            assertThat(process.log()).allMatch(line -> line.matches(LINE))
                    .anyMatch(line -> line.matches(".* Wrote 1 comment in \\d+ ms, .*"))
                    .anyMatch(line -> line.matches(".* Pushed 1 comment of 1 post in \\d+ ms"))
                    .last().asString().contains(" Ending: ");
        } finally {
            broker.close();
        }
    }
}
