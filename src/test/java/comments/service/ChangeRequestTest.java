package comments.service;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import comments.EmbeddedBroker;
import comments.support.ApiKeyHash;
import comments.support.TestPipeline;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a client may ask for when it changes a comment, with comment-service alone. */
class ChangeRequestTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String ID = "5afcce55-5e1c-4ab4-bd01-d669ca3f6a48";

    private static EmbeddedBroker broker;
    private static TestPipeline pipeline;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "COMMENTS_ROLES", "comment-service", "COMMENTS_API_KEYS",
                "ann:" + ApiKeyHash.of("ann") + ":change,bob:" + ApiKeyHash.of("bob")));
    }

    @AfterAll
    static void stop() {
        pipeline.close();
        broker.close();
    }

    private static HttpResponse<String> send(TestPipeline to, String key, String method, String id, String body, String type)
            throws Exception {
        return to.send(HttpRequest.newBuilder(to.uri("/comments/" + id)).headers("Authorization", "Bearer " + key, "Content-Type", type)
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body)));
    }

    private static HttpResponse<String> patch(String body) throws Exception {
        return send(pipeline, "ann", "PATCH", ID, body, "application/json");
    }

    private static void assertProblem(HttpResponse<String> response, int status, String... named) throws Exception {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(response.headers().firstValue("Content-Type")).hasValue("application/problem+json");
        assertThat(List.of(named)).allSatisfy(text -> assertThat(response.body()).contains(text));
    }

    @Test
    void theSameChangeIsTakenTwice() throws Exception {
        for (int i = 0; i < 2; i++) {
            for (HttpResponse<String> response : List.of(patch("{\"content\":\"Hi\"}"),
                    send(pipeline, "ann", "DELETE", ID, null, "application/json"))) {
                assertThat(response.statusCode()).isEqualTo(202);
                assertThat(JSON.readTree(response.body())).isEqualTo(JSON.readTree("{\"id\":\"" + ID + "\"}"));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"17", "x", "stream", "5afcce55-5e1c-4ab4-bd01-d669ca3f6a4", "1-1-1-1-1"})
    void aForeignIdIsRefused(String id) throws Exception {
        assertProblem(send(pipeline, "ann", "PATCH", id, "{\"content\":\"Hi\"}", "application/json"), 400, "must be a UUID", id);
        assertProblem(send(pipeline, "ann", "DELETE", id, null, "application/json"), 400, "must be a UUID", id);
    }

    @Test
    void aLongUrlIsRefused() throws Exception {
        assertProblem(send(pipeline, "ann", "PATCH", ID + "?" + "x".repeat(9_000), "{\"content\":\"Hi\"}", "application/json"), 414);
    }

    @Test
    void aQueryIsRefused() throws Exception {
        assertProblem(send(pipeline, "ann", "DELETE", ID + "?hard=true", null, "application/json"), 400, "Unknown query parameter: hard");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"[{\"content\":\"Hi\"}] | # | must be an object", "{} | #/content | is missing",
        "{\"content\":7} | #/content | must be a string", "{\"content\":\" \"} | #/content | must have a visible character",
        "{\"content\":null} | #/content | must be a string", "{\"content\":\"\"} | #/content | must be 1 to 10000 characters long",
        "{\"content\":\"Hi\",\"content\":\"Ho\"} | #/content | is given twice",
        "{\"content\":\"Hi\",\"userName\":\"Bob\"} | #/userName | only the content can", "\"Hi\" | # | must be an object"})
    void aWrongFieldIsNamed(String body, String pointer, String detail) throws Exception {
        HttpResponse<String> response = patch(body);
        assertProblem(response, 422);
        JsonNode error = JSON.readTree(response.body()).get("errors").get(0);
        assertThat(error.get("pointer").asText()).isEqualTo(pointer);
        assertThat(error.get("detail").asText()).contains(detail);
    }

    @Test
    void aContentIsAsLongAsThatOfAComment() throws Exception {
        assertThat(patch("{\"content\":\"" + "\ud83d\udc4d".repeat(10_000) + "\"}").statusCode()).isEqualTo(202);
        assertProblem(patch("{\"content\":\"" + "x".repeat(10_001) + "\"}"), 422, "must be 1 to 10000 characters long, and is 10001");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "{\"content\":\"Hi\"} x", "content=Hi"})
    void whatIsNotJsonIsRefused(String body) throws Exception {
        assertProblem(patch(body), 400, "body");
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/plain", "application/x-ndjson"})
    void anotherTypeIsRefused(String type) throws Exception {
        assertProblem(send(pipeline, "ann", "PATCH", ID, "{\"content\":\"Hi\"}", type), 415, "application/json");
    }

    private static HttpResponse<String> eraseUser(String user, String key) throws Exception {
        return pipeline.send(HttpRequest.newBuilder(pipeline.uri("/users/" + user + "/comments")).header("Authorization", "Bearer " + key).DELETE());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"%00 | without U+0000", "%ed%a0%80 | must be UTF-8", "%ff | must be UTF-8", "%e4 | must be UTF-8",
        "%2e%2E | steps of a path", ". | steps of a path"})
    void aWrongIdOfAUserIsRefused(String user, String detail) throws Exception {
        assertProblem(eraseUser(user, "ann"), 400, detail);
    }

    @Test
    void theIdOfAUserIsAsLongAsThatOfAComment() throws Exception {
        assertThat(eraseUser("%F0%9F%91%8D".repeat(200), "ann").statusCode()).isEqualTo(202);
        assertProblem(eraseUser("x".repeat(201), "ann"), 400, "1 to 200 characters");
        assertProblem(eraseUser("u", "bob"), 403, "lacks the scope change");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a/..", "a/b", ""})
    void whatIsNotOneSegmentIsNobody(String user) throws Exception {
        assertThat(eraseUser(user, "ann").statusCode()).isIn(404, 405);
    }

    @Test
    void eachErasureOfAUserHasAnIdOfItsOwn() throws Exception {
        String first = eraseUser("u", "ann").body();
        assertThat(JSON.readTree(first).properties()).hasSize(1);
        assertThat(eraseUser("u", "ann").body()).isNotEqualTo(first);
    }

    @Test
    void anOtherMethodIsRefused() throws Exception {
        HttpResponse<String> response = send(pipeline, "ann", "PUT", ID, "{\"content\":\"Hi\"}", "application/json");
        assertProblem(response, 405);
        assertThat(response.headers().firstValue("Allow").orElseThrow()).contains("PATCH").contains("DELETE");
    }

    @ParameterizedTest
    @CsvSource({"bob, 403, lacks the scope change", "eve, 401, An API key is required"})
    void aKeyNeedsTheScope(String key, int status, String detail) throws Exception {
        assertProblem(send(pipeline, key, "DELETE", ID, null, "application/json"), status, detail);
        assertProblem(send(pipeline, key, "PATCH", ID, "{\"content\":\"Hi\"}", "application/json"), status, detail);
    }

    @Test
    void withoutKeysNoClientMayChange() throws Exception {
        try (TestPipeline open = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "COMMENTS_ROLES", "comment-service"))) {
            assertProblem(send(open, "ann", "DELETE", ID, null, "application/json"), 403, "COMMENTS_API_KEYS=name:hash:post+read+change");
        }
    }

    @Test
    void eachTimeIsLaterThanTheOneBefore() {
        Instant last = AcceptChange.now();
        for (int i = 0; i < 1_000; i++) {
            Instant next = AcceptChange.now();
            assertThat(next).isAfter(last);
            last = next;
        }
    }
}
