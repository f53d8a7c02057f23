package comments.reader;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The numbers of comments of posts. */
class CommentCountsTest extends ReaderFixture {

    private static void insert(String post, int comments, String from) throws Exception {
        execute("INSERT INTO comments SELECT gen_random_uuid(), '%s', 'u', 'Ann', 'c', NULL, timestamptz '%s' + i * interval '1 day', now()"
                .formatted(post, from) + " FROM generate_series(1, " + comments + ") i");
    }

    private static String counts(String query) throws Exception {
        HttpResponse<String> response = get("/comments/count?" + query);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return response.body();
    }

    @Test
    void eachPostHasItsCountInTheOrderOfTheQuery() throws Exception {
        insert("b", 3, "2026-01-01Z");
        insert("a", 2, "1999-01-01Z");
        insert("B", 1, "2026-01-01Z");
        assertThat(counts("postId=b&postId=none&postId=a&postId=b&postId=B")).isEqualTo("[{\"postId\":\"b\",\"count\":3},"
                + "{\"postId\":\"none\",\"count\":0},{\"postId\":\"a\",\"count\":2},{\"postId\":\"B\",\"count\":1}]");
    }

    /** Their comments are in many periods of the index. */
    @Test
    void countsAreExactUpToAThousand() throws Exception {
        insert("less", 999, "2020-01-01Z");
        insert("exact", 1_000, "2020-01-01Z");
        insert("more", 1_001, "2020-01-01Z");
        insert("most", 3_000, "2015-01-01Z");
        assertThat(counts("postId=less&postId=exact&postId=more&postId=most")).isEqualTo("[{\"postId\":\"less\",\"count\":999},"
                + "{\"postId\":\"exact\",\"count\":1000},{\"postId\":\"more\",\"count\":1000,\"more\":true},"
                + "{\"postId\":\"most\",\"count\":1000,\"more\":true}]");
    }

    @Test
    void aHundredPostsFitIntoAUrl() throws Exception {
        insert("p", 1, "2026-01-01Z");
        String query = IntStream.range(0, 99).mapToObj(i -> "postId=" + UUID.randomUUID() + "&").collect(Collectors.joining()) + "postId=p";
        assertThat(query).hasSizeGreaterThan(4_096);
        assertThat(json(get("/comments/count?" + query))).hasSize(100).last()
                .hasToString("{\"postId\":\"p\",\"count\":1}");
        assertProblem(get("/comments/count?postId=1&" + query), 400, "at most 100 times");
    }

    @ParameterizedTest
    @ValueSource(strings = {"'", "{}", "{a,b}", "a,b", "\"", "\\", "NULL", "ä😀", "%", " ", "a&b"})
    void anyTextCanBeAPost(String post) throws Exception {
        insert(post.replace("'", "''"), 2, "2026-01-01Z");
        insert("other", 1, "2026-01-01Z");
        assertThat(json(get("/comments/count?postId=" + encoded(post))).toString())
                .isEqualTo("[{\"postId\":" + JSON.writeValueAsString(post) + ",\"count\":2}]");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "?", "?postId", "?postId=", "?postId=a&postId=", "?postId=%00", "?postId=a&postId=a%00"})
    void eachPostMustBeNamed(String query) throws Exception {
        assertProblem(get("/comments/count" + query), 400, "postId must be given, with 1 to 200 characters");
        assertProblem(get("/comments/count?postId=p&postId=" + "a".repeat(201)), 400, "1 to 200 characters");
        assertProblem(get("/comments/count?postId=p&limit=2"), 400, "Unknown query parameter: limit");
    }

    @Test
    void anUnchangedCountIsNotSentAgain() throws Exception {
        insert("p", 1, "2026-01-01Z");
        String etag = header(get("/comments/count?postId=p"), "ETag");
        HttpResponse<String> again = get("/comments/count?postId=p", "If-None-Match", etag);
        assertThat(again.statusCode()).isEqualTo(304);
        assertThat(again.body()).isEmpty();
        assertThat(again.headers().map()).containsOnlyKeys("etag", "cache-control");
        insert("p", 1, "2026-02-01Z");
        assertThat(get("/comments/count?postId=p", "If-None-Match", etag).body()).isEqualTo("[{\"postId\":\"p\",\"count\":2}]");
    }

    @Test
    void headIsGetWithoutTheBodyAndNoOtherMethodIsTaken() throws Exception {
        HttpRequest.Builder head = HttpRequest.newBuilder(pipeline.uri("/comments/count?postId=p")).method("HEAD", BodyPublishers.noBody());
        assertThat(pipeline.send(head).headers().map()).isEqualTo(get("/comments/count?postId=p").headers().map());
        assertProblem(pipeline.send(HttpRequest.newBuilder(pipeline.uri("/comments/count?postId=p")).DELETE()), 405);
    }
}
