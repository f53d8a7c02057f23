package comments.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import comments.EmbeddedBroker;
import comments.support.ApiDocument;
import comments.support.ApiDocument.Operation;
import comments.support.ApiKeyHash;
import comments.support.EventStream;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients as they are: generated ones, browsers of other origins, polyfills. */
class CallersTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int RATE = 200;

    private static EmbeddedBroker broker;
    private static TestPipeline pipeline;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        String hash = ApiKeyHash.of("key");
        pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", TestServers.newDatabase(),
                "POSTGRES_USER", "postgres", "COMMENTS_API_KEYS", "ann:" + hash, "COMMENTS_RATE_PER_CALLER", "" + RATE,
                "COMMENTS_CORS_ORIGINS", "https://example.com,http://localhost:3000"));
    }

    @AfterAll
    static void stop() {
        pipeline.close();
        broker.close();
    }

    private static HttpResponse<String> post(String body, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(pipeline.uri("/comments")).POST(BodyPublishers.ofString(body));
        List<String> all = new ArrayList<>(List.of(headers));
        if (!all.contains("Authorization")) {
            Collections.addAll(all, "Authorization", "Bearer key");
        }
        if (!all.contains("Content-Type")) {
            Collections.addAll(all, "Content-Type", "application/json");
        }
        return pipeline.send(request.headers(all.toArray(String[]::new)));
    }

    private static HttpResponse<String> send(String method, String path, String... headers) throws IOException, InterruptedException {
        return pipeline.send(HttpRequest.newBuilder(pipeline.uri(path)).method(method, BodyPublishers.noBody()).headers(headers));
    }

    private static String comment(String post, String content) {
        return "{\"postId\":\"%s\",\"userId\":\"u\",\"userName\":\"Ann\",\"content\":\"%s\"}".formatted(post, content);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Bearer key", "bearer key", "BEARER key", "Bearer  key"})
    void theCaseOfASchemeDoesNotMatter(String authorization) throws Exception {
        assertThat(post(TestPipeline.COMMENT, "Authorization", authorization).statusCode()).isEqualTo(202);
    }

    @ParameterizedTest
    @ValueSource(strings = {"application/json; charset=utf8", "application/json;charset=UTF8", "application/json; charset=\"utf-8\""})
    void utf8HasTwoNames(String type) throws Exception {
        assertThat(post(TestPipeline.COMMENT, "Content-Type", type).statusCode()).isEqualTo(202);
    }

    @Test
    void aParentThatIsNullIsNone() throws Exception {
        HttpResponse<String> posted = post(TestPipeline.COMMENT.replace("}", ",\"parentId\":null}"));
        assertThat(posted.statusCode()).isEqualTo(202);
        JsonNode comment = read(posted.headers().firstValue("Location").orElseThrow());
        assertThat(comment.has("parentId")).isFalse();
    }

    private static JsonNode read(String path) throws IOException {
        return JSON.readTree(await().until(() -> send("GET", path, "Authorization", "Bearer key"),
                response -> response.statusCode() == 200).body());
    }

    @ParameterizedTest
    @ValueSource(strings = {" ", "\\t\\n", "\\u200b", "\\u200b\\ufeff \\u2060", "\\u00a0\\u3000", "\\u3164", "\\u115f\\uffa0", "\\u2800",
        "\\ufe0f", "\\udb40\\udd01", "\\u034f", "\\u202e", "\\u0007", "\\u2065",
        "\\ufff0", "\\udb40\\udc02"})
    void whatCannotBeSeenIsRefused(String text) throws Exception {
        HttpResponse<String> response = post("{\"postId\":\"p\",\"userId\":\"u\",\"userName\":\"%s\",\"content\":\"%1$s\"}".formatted(text));
        assertThat(response.statusCode()).isEqualTo(422);
        assertThat(JSON.readTree(response.body()).get("errors").findValuesAsText("pointer")).containsExactly("#/userName", "#/content");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\\u200ba", "\\ud83d\\udc4d\\ud83c\\udffd", "\\u2764\\ufe0f", "\\u0301", "\\u05d0", "."})
    void whatCanBeSeenIsTaken(String text) throws Exception {
        assertThat(post(comment("seen", text)).statusCode()).isEqualTo(202);
    }

    @Test
    void aListThatIsAlwaysTooLongForTheRateIsRefusedForGood() throws Exception {
        HttpResponse<String> response = post(list("rate", RATE + 1));
        assertThat(response.statusCode()).isEqualTo(422);
        assertThat(response.headers().firstValue("Retry-After")).isEmpty();
        assertThat(response.body()).contains("must hold at most 200 comments: a client may post no more per second");
    }

    private static String list(String post, int number) {
        return IntStream.range(0, number).mapToObj(i -> comment(post, "no " + i)).collect(Collectors.joining(",", "[", "]"));
    }

    @Test
    void aListWithAKeyKeepsItsOrder() throws Exception {
        await().until(() -> post(list("ordered", 30), "Idempotency-Key", "k").statusCode() == 202);
        assertThat(post(list("ordered", 30), "Idempotency-Key", "k").statusCode()).as("again").isEqualTo(202);
        List<String> contents = await().until(() -> read("/comments?postId=ordered&limit=50").findValuesAsText("content"),
                all -> all.size() == 30);
        Collections.reverse(contents);
        assertThat(contents).containsExactlyElementsOf(IntStream.range(0, 30).mapToObj(i -> "no " + i).toList());
    }

    @ParameterizedTest
    @CsvSource({"https://example.com, https://example.com", "http://localhost:3000, http://localhost:3000", "https://evil.example,",
        "https://example.com.evil.example,"})
    void onlyPagesOfTheseOriginsMayPost(String origin, String allowed) throws Exception {
        HttpResponse<String> preflight = send("OPTIONS", "/comments", "Origin", origin, "Access-Control-Request-Method", "POST",
                "Access-Control-Request-Headers", "authorization,content-type,idempotency-key");
        assertThat(preflight.statusCode()).isEqualTo(204);
        assertThat(preflight.headers().firstValue("Access-Control-Allow-Origin").orElse(null)).isEqualTo(allowed);
        assertThat(preflight.headers().firstValue("Access-Control-Allow-Headers").isPresent()).isEqualTo(allowed != null);
        assertThat(preflight.headers().firstValue("Access-Control-Allow-Methods").map(names -> Set.of(names.split(", "))).orElse(null))
                .isEqualTo(allowed == null ? null : methods());
        assertThat(preflight.headers().allValues("Vary")).containsExactly("origin");

        for (HttpResponse<String> response : List.of(post(comment("cors", "Hi"), "Origin", origin), post("{", "Origin", origin),
                post("{}", "Origin", origin, "Authorization", "Bearer guess"),
                send("GET", "/comments?postId=cors", "Origin", origin, "Authorization", "Bearer key"),
                send("GET", "/nothing", "Origin", origin))) {
            assertThat(response.headers().allValues("Access-Control-Allow-Origin")).as(response.toString())
                    .isEqualTo(allowed == null ? List.of() : List.of(allowed));
            assertThat(response.headers().firstValue("Access-Control-Expose-Headers").orElse(null))
                    .isEqualTo(allowed == null ? null : "Location, Link, ETag, Retry-After");
        }
    }

    private static Set<String> methods() throws IOException {
        Set<String> methods = ApiDocument.read().operations().stream().map(Operation::method).collect(Collectors.toSet());
        methods.add("HEAD");
        return methods;
    }

    @Test
    void anOptionsRequestThatIsNoPreflightIsNone() throws Exception {
        assertThat(send("OPTIONS", "/comments", "Origin", "https://example.com").statusCode()).isEqualTo(405);
    }

    @Test
    void aStreamIsNotTransformedAndResumesByTheQuery() throws Exception {
        try (EventStream stream = EventStream.open(pipeline.uri("/comments/stream?postId=resumed&lastEventId=1"),
                "Authorization", "Bearer key", "Origin", "https://example.com")) {
            assertThat(stream.response().headers().firstValue("Cache-Control")).hasValue("no-cache, no-transform");
            assertThat(stream.response().headers().firstValue("Access-Control-Allow-Origin")).hasValue("https://example.com");
            await().until(() -> stream.events().stream().anyMatch(event -> event.kind().equals("missed")));
        }
        assertThat(send("GET", "/comments/stream?postId=resumed&lastEventId=x", "Authorization", "Bearer key").statusCode()).isEqualTo(400);
    }
}
