package comments.page;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import comments.EmbeddedBroker;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The page as it is served, with the whole application on the embedded servers. {@code PageIT} has it in a browser. */
class CommentPageTest {

    private static final ObjectMapper JSON = new ObjectMapper();

    private static EmbeddedBroker broker;
    private static Map<String, String> knobs;
    private static TestPipeline pipeline;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        knobs = Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", TestServers.newDatabase(), "POSTGRES_USER", "postgres");
        pipeline = TestPipeline.start(knobs);
    }

    @AfterAll
    static void stop() {
        pipeline.close();
        broker.close();
    }

    private static HttpResponse<String> get(TestPipeline from, String path) throws Exception {
        return from.send(HttpRequest.newBuilder(from.uri(path)));
    }

    @ParameterizedTest
    @CsvSource({"/, page.html, text/html", "/page.css, page.css, text/css", "/page.mjs, page.mjs, text/javascript"})
    void eachFileIsServedAsItIsAndMayLoadNothingFromElsewhere(String path, String file, String mediaType) throws Exception {
        HttpResponse<String> answer = get(pipeline, path);
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo(Files.readString(Path.of("routes/web", file)));
        assertThat(answer.headers().allValues("Content-Type")).containsExactly(mediaType + "; charset=utf-8");
        assertThat(answer.headers().allValues("Content-Security-Policy")).singleElement().asString()
                .startsWith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';")
                .doesNotContain("unsafe", "http", "*");
        assertThat(answer.headers().allValues("X-Content-Type-Options")).containsExactly("nosniff");
        assertThat(answer.headers().allValues("Cache-Control")).as("after an update, no file may be an old one")
                .containsExactly("no-cache");
    }

    /** A browser would refuse it, and something would be missing. */
    @Test
    void thePageHasNoScriptStyleOrHandlerInItself() throws Exception {
        String page = Files.readString(Path.of("routes/web/page.html"));
        assertThat(page).doesNotContainPattern("<script(?![^>]* src=)").doesNotContainPattern("(?i)<style|\\sstyle=|\\son\\w+=")
                .doesNotContainPattern("(src|href)=\"(?![\\w.]+\"|data:)");
        assertThat(Files.readString(Path.of("routes/web/page.mjs")))
                .doesNotContain("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function");
    }

    @Test
    void tellsWhatWasCountedHowLongTheQueuesAreAndHowHealthyThePartsAre() throws Exception {
        JsonNode before = JSON.readTree(get(pipeline, "/pipeline").body());
        assertThat(pipeline.post("/comments", TestPipeline.COMMENT).statusCode()).isEqualTo(202);
        assertThat(pipeline.post("/comments", "{}").statusCode()).isEqualTo(422);
        await().until(() -> JSON.readTree(get(pipeline, "/pipeline").body()).get("pushed").asLong() > before.get("pushed").asLong());
        HttpResponse<String> answer = get(pipeline, "/pipeline");
        JsonNode now = JSON.readTree(answer.body());
        assertThat(now.get("roles")).hasSize(5);
        for (String count : List.of("accepted", "persisted", "pushed", "refused")) {
            assertThat(now.get(count).asLong()).as(count).isGreaterThan(before.get(count).asLong());
        }
        assertThat(now.at("/groups/count").asLong()).isGreaterThan(before.at("/groups/count").asLong());
        assertThat(now.at("/committed/buckets")).isNotEmpty();
        assertThat(now.at("/latestBatches/0/comments").asInt()).isEqualTo(1);
        assertThat(now.at("/queues/comments/consumers").asInt()).isPositive();
        assertThat(now.at("/queues/notifications/messages").asInt()).isZero();
        assertThat(now.get("health").fieldNames()).toIterable()
                .contains("comments/broker", "comments/unsettled", "comments/unsettled-changes", "comments/retrying-batches",
                        "comments/retrying-pushes", "comments/dropped-comment-changes", "database");
        assertThat(now.get("health")).allSatisfy(problem -> assertThat(problem.isNull()).isTrue());
    }

    @Test
    void manyWhoAskAtOnceAreAnswered() throws Exception {
        assertThat(get(pipeline, "/pipeline").statusCode()).as("the first has to wait for the servers").isEqualTo(200);
        List<CompletableFuture<HttpResponse<String>>> answers = IntStream.range(0, 100)
                .mapToObj(i -> pipeline.sendAsync(HttpRequest.newBuilder(pipeline.uri("/pipeline")))).toList();
        assertThat(answers).allSatisfy(answer -> assertThat(answer.get().statusCode()).isEqualTo(200));
    }

    @Test
    void aKnobTurnsItOff() throws Exception {
        try (TestPipeline without = TestPipeline.start(with("COMMENTS_PAGES", "false"))) {
            for (String path : List.of("/", "/page.css", "/page.mjs", "/pipeline")) {
                assertThat(get(without, path).statusCode()).as(path).isEqualTo(404);
            }
        }
    }

    private static Map<String, String> with(String knob, String value) {
        Map<String, String> more = new HashMap<>(knobs);
        more.put(knob, value);
        return more;
    }

    @Test
    void anApiKeyIsAskedForWhereTheApiAsksForOne() throws Exception {
        String hash = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
        try (TestPipeline secured = TestPipeline.start(with("COMMENTS_API_KEYS", "ann:" + hash + ":read"))) {
            assertThat(get(secured, "/").statusCode()).isEqualTo(200);
            assertThat(get(secured, "/pipeline").statusCode()).isEqualTo(401);
            assertThat(get(secured, "/comments/stream").statusCode()).isEqualTo(401);
            assertThat(secured.send(HttpRequest.newBuilder(secured.uri("/pipeline")).header("Authorization", "Bearer secret"))
                    .statusCode()).isEqualTo(200);
        }
    }
}
