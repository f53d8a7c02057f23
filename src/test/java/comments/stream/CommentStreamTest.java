package comments.stream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import comments.http.Problem;
import comments.support.EventStream;
import comments.support.EventStream.Event;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is pushed while a client listens, and requests that are wrong. */
class CommentStreamTest extends StreamFixture {

    @Test
    void aPushedCommentIsToldToThoseWhoListenToItsPost() throws Exception {
        EventStream ours = listen(post);
        EventStream others = listen(post + "2");
        EventStream all = listen(null);
        assertThat(ours.response().headers().firstValue("Content-Type")).hasValue("text/event-stream");
        assertThat(ours.response().headers().firstValue("Cache-Control")).hasValue("no-cache, no-transform");
        String id = post(post, "Hi");
        await().until(() -> ours.comments().contains(id) && all.comments().contains(id));
        JsonNode told = ours.events("comment").get(0).json();
        assertThat(told.get("postId").asText()).isEqualTo(post);
        assertThat(told.get("userName").asText()).isEqualTo("Ann");
        assertThat(told.get("content").asText()).isEqualTo("Hi");
        assertThat(told).isEqualTo(JSON.readTree(
                pipeline.send(HttpRequest.newBuilder(pipeline.uri("/comments/" + id))).body()));
        await().until(() -> ours.events("batch").size() == 1);
        assertThat(ours.events("batch").get(0).json()).isEqualTo(JSON.readTree("{\"comments\":1,\"posts\":1,\"shown\":1}"));
        String other = post(post + "2", "Hi");
        await().until(() -> others.comments().contains(other));
        assertThat(others.comments()).doesNotContain(id);
        assertThat(ours.comments()).containsExactly(id);
    }

    @Test
    void whoListensToAllPostsIsToldTheLatestOfABatchAndHowManyThereWere() throws Exception {
        EventStream all = listen(null);
        List<String> ids = postList(post, 1_000);
        await().until(() -> comments(all, "comments") >= 1_000);
        assertThat(all.comments()).isNotEmpty().isSubsetOf(ids).contains(ids.get(999));
        assertThat(all.events("batch")).allSatisfy(batch -> assertThat(batch.json().get("shown").asInt()).isBetween(1, 20));
        assertThat(comments(all, "shown")).isEqualTo(all.comments().size());
    }

    @Test
    void whoListensToAPostIsToldEachCommentOrHowManyWereLeftOut() throws Exception {
        EventStream ours = listen(post);
        postList(post, 1_000);
        await().until(() -> comments(ours, "comments") == 1_000);
        assertThat(ours.comments()).hasSizeGreaterThanOrEqualTo(500).doesNotHaveDuplicates()
                .hasSize(comments(ours, "shown"));
    }

    @Test
    void contentsCanNotLeaveTheirEvent() throws Exception {
        EventStream ours = listen(post);
        String content = "a\n\nevent: end\ndata: {}\r\n\r\nid: 7\r:\u2028\u0085<script>alert('\"\\')</script>\n";
        String name = "Ann\nid: 8\n\ndata: x";
        var response = pipeline.post("/comments", JSON.writeValueAsString(
                Map.of("postId", post, "userId", "u\nevent: x", "userName", name, "content", content)));
        assertThat(response.statusCode()).isEqualTo(202);
        await().until(() -> ours.events("batch").size() == 1);
        assertThat(ours.events()).extracting(Event::kind).containsExactly("comment", "batch");
        JsonNode told = ours.events().get(0).json();
        assertThat(told.get("content").asText()).isEqualTo(content);
        assertThat(told.get("userName").asText()).isEqualTo(name);
        assertThat(ours.events()).allSatisfy(event -> assertThat(event.id()).matches("[0-9]{16}"));
    }

    @Test
    void whoHearsNothingGetsHeartbeats() throws Exception {
        List<EventStream> quiet = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            quiet.add(listen(post));
        }
        await().atMost(Duration.ofSeconds(20)).until(() -> quiet.stream().allMatch(stream -> stream.heartbeats() > 0));
        assertThat(quiet).allSatisfy(stream -> assertThat(stream.events()).isEmpty());
    }

    /** What is answered to a request whose head is sent as it is, with more header lines. */
    private static String answer(String query, String... headers) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", pipeline.port())) {
            socket.getOutputStream().write(("GET /comments/stream?" + query + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                    + String.join("\r\n", headers) + "\r\n\r\n").getBytes(UTF_8));
            return new String(socket.getInputStream().readAllBytes(), UTF_8);
        }
    }

    @ParameterizedTest
    @CsvSource({"postId=, postId", "postId=a&postId=b, postId", "postId=%00, postId", "postId=%zz, query", "post=a, post"})
    void aWrongRequestIsAProblemThatNamesIt(String query, String named) throws Exception {
        assertThat(answer(query)).startsWith("HTTP/1.1 400 ").contains("content-type: " + Problem.MEDIA_TYPE, named);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1", "1.0", "1; DROP TABLE comments", "' OR 1=1 --", "999999999999999999999", "０", "1,1"})
    void aWrongLastEventIdIsAProblemThatNamesIt(String id) throws Exception {
        assertThat(answer("postId=p", "Last-Event-ID: " + id)).startsWith("HTTP/1.1 400 ")
                .contains("content-type: " + Problem.MEDIA_TYPE, "Last-Event-ID").doesNotContain("DROP TABLE");
    }

    @Test
    void twoLastEventIdsAreAProblem() throws Exception {
        assertThat(answer("postId=p", "Last-Event-ID: 1", "Last-Event-ID: 2")).startsWith("HTTP/1.1 400 ").contains("Last-Event-ID");
    }

    @Test
    void aPostIdIsNeverSqlAndNeverEchoed() throws Exception {
        String evil = "' OR true; DROP TABLE comments; --\r\nX-Evil: 1\n\ndata: x";
        EventStream theirs = listen(evil, "Last-Event-ID", Long.toString(System.currentTimeMillis() * 1_000));
        assertThat(theirs.response().headers().firstValue("X-Evil")).isEmpty();
        String other = post(post, "Hi");
        String id = post(evil, "Hi");
        await().until(() -> theirs.comments().contains(id));
        assertThat(theirs.comments()).doesNotContain(other);
        assertThat(theirs.events("comment").get(0).json().get("postId").asText()).isEqualTo(evil);
    }
}
