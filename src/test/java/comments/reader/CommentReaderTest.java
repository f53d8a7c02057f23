package comments.reader;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One comment, read by its id. */
class CommentReaderTest extends ReaderFixture {

    @Test
    void aCommentIsAnsweredAsTheContractHasIt() throws Exception {
        UUID parent = UUID.randomUUID();
        UUID id = insert("p", "H\u00e4\n\"\u0001\ud83d\ude00", parent, "2026-11-22T12:00:00.123+02");
        HttpResponse<String> response = get("/comments/" + id);
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(json(response)).isEqualTo(JSON.valueToTree(Map.of("id", id.toString(), "postId", "p", "userId", "u",
                "userName", "Ann", "content", "H\u00e4\n\"\u0001\ud83d\ude00", "parentId", parent.toString(),
                "acceptedAt", "2026-11-22T10:00:00.123Z", "createdAt", "2026-11-22T10:00:01.500Z")));
        assertThat(json(get("/comments/" + insert("p", 1))).has("parentId")).isFalse();
    }

    @Test
    void anIdMayBeInCapitals() throws Exception {
        UUID id = insert("p", 1);
        assertThat(json(get("/comments/" + id.toString().toUpperCase())).get("id").asText()).isEqualTo(id.toString());
    }

    @Test
    void aCommentThatIsNotThereMayBeOnItsWay() throws Exception {
        HttpResponse<String> response = get("/comments/" + NOBODY);
        assertProblem(response, 404, "can take a moment to appear");
        assertThat(header(response, "Retry-After")).isEqualTo("1");
        assertThat(header(response, "Cache-Control")).as("nobody keeps it without asking again").isEqualTo("no-cache");
    }

    @ParameterizedTest
    @ValueSource(strings = {"17", "1-1-1-1-1", "5afcce555e1c4ab4bd01d669ca3f6a48", "{5afcce55-5e1c-4ab4-bd01-d669ca3f6a48}",
        "5afcce55-5e1c-4ab4-bd01-d669ca3f6a4g", "5afcce55-5e1c-4ab4-bd01-d669ca3f6a48x"})
    void anIdThatIsNoUuidIsRefusedByName(String id) throws Exception {
        assertProblem(get("/comments/" + encoded(id)), 400, "id");
        assertProblem(get("/comments/" + encoded(id) + "/replies"), 400, "id");
    }

    @Test
    void aCallerWhoHasTheCommentIsNotSentItAgain() throws Exception {
        UUID id = insert("p", 1);
        HttpResponse<String> first = get("/comments/" + id);
        String etag = header(first, "ETag");
        for (String match : List.of(etag, "W/" + etag, "\"a\", " + etag, "*")) {
            HttpResponse<String> second = get("/comments/" + id, "If-None-Match", match);
            assertThat(second.statusCode()).as(match).isEqualTo(304);
            assertThat(second.body()).isEmpty();
            assertThat(second.headers().map()).containsOnlyKeys("etag", "cache-control");
            assertThat(header(second, "ETag")).isEqualTo(etag);
        }
        assertThat(get("/comments/" + id, "If-None-Match", "\"a\"").statusCode()).isEqualTo(200);
        assertThat(header(get("/comments/" + insert("p", 1)), "ETag")).isNotEqualTo(etag);
    }

    @Test
    void headIsGetWithoutTheBody() throws Exception {
        UUID id = insert("p", 1);
        for (String path : List.of("/comments/" + id, "/comments/" + NOBODY, "/comments?postId=p", "/comments?postId=p&limit=0",
                "/comments/" + id + "/replies")) {
            HttpResponse<String> get = get(path);
            HttpResponse<String> head = pipeline.send(HttpRequest.newBuilder(pipeline.uri(path)).method("HEAD", BodyPublishers.noBody()));
            assertThat(head.statusCode()).isEqualTo(get.statusCode());
            assertThat(head.headers().map()).isEqualTo(get.headers().map());
            assertThat(head.body()).isEmpty();
        }
    }
}
