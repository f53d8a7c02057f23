package comments.stream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import comments.http.SseClients;
import comments.stream.SelectSubscribed.Selection;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SelectSubscribedTest {

    /** A notification of comments 1 to n, in turn on the posts. */
    private static byte[] notification(int comments, String... posts) {
        return IntStream.rangeClosed(1, comments)
                .mapToObj(i -> "{\"id\":\"%d\",\"postId\":\"%s\",\"userName\":\"Ann\",\"x\":[{\"id\":\"0\"}]}"
                        .formatted(i, posts[i % posts.length]))
                .collect(Collectors.joining(",", "[", "]")).getBytes(UTF_8);
    }

    private static Map<String, Object> row(String id, String post, String comment) {
        return Map.of("id", id, "post_id", post, "written", 7L, "comment", comment);
    }

    @Test
    void nothingIsReadWhereNobodyListens() throws Exception {
        assertThat(Selection.of(notification(5_000, "a", "b"), Set.of()).size()).isZero();
        assertThat(Selection.of(notification(5_000, "a", "b"), Set.of("c")).size()).isZero();
    }

    @Test
    void onlyThePostsThatSomebodyListensToAreRead() throws Exception {
        Selection heard = Selection.of(notification(10, "a", "b"), Set.of("b", "c"));
        assertThat(heard.parameters()).isEqualTo(Map.of("ids", "[\"1\",\"3\",\"5\",\"7\",\"9\"]"));
    }

    @Test
    void ofAllPostsTheLatestAreRead() throws Exception {
        Selection heard = Selection.of(notification(5_000, "a", "b"), Set.of(SseClients.ALL));
        assertThat(heard.size()).isEqualTo(20);
        assertThat((String) heard.parameters().get("ids")).startsWith("[\"4981\",").endsWith(",\"5000\"]");
    }

    @Test
    void aBusyPostTakesNothingFromAnotherOne() throws Exception {
        String[] posts = new String[1_000];
        Arrays.fill(posts, "busy");
        posts[999] = "quiet";
        Selection heard = Selection.of(notification(1_999, posts), Set.of("busy", "quiet"));
        assertThat(heard.size()).isEqualTo(502);
        assertThat((String) heard.parameters().get("ids")).contains("\"999\"").endsWith(",\"1999\"]");
    }

    @Test
    void whatIsReadOfAllPostsIsBounded() throws Exception {
        String[] posts = IntStream.range(0, 100).mapToObj(i -> "post-" + i).toArray(String[]::new);
        assertThat(Selection.of(notification(10_000, posts), Set.of(posts)).size()).isEqualTo(5_000);
    }

    @Test
    void whatIsReadIsBounded() throws Exception {
        Selection heard = Selection.of(notification(5_000, "a"), Set.of(SseClients.ALL, "a"));
        assertThat(heard.size()).isEqualTo(520);
        assertThat(heard.events(List.of()).get("a").toString())
                .isEqualTo("event: batch\ndata: {\"comments\":5000,\"posts\":1,\"shown\":0}\n\n");
    }

    @Test
    void eachIsToldToThoseWhoListenToItsPostAndToThoseWhoListenToAll() throws Exception {
        Selection heard = Selection.of(notification(4, "a", "b"), Set.of(SseClients.ALL, "a"));
        Map<String, String> events = heard.events(List.of(row("1", "b", "one"), row("2", "a", "two"), row("4", "a", "four")));
        assertThat(events.get("a").toString()).isEqualTo("id: 7\nevent: comment\ndata: two\n\nid: 7\nevent: comment\ndata: four\n\n"
                + "event: batch\ndata: {\"comments\":2,\"posts\":1,\"shown\":2}\n\n");
        assertThat(events.get(SseClients.ALL).toString()).contains("data: one\n", "data: two\n", "data: four\n")
                .endsWith("event: batch\ndata: {\"comments\":4,\"posts\":2,\"shown\":3}\n\n");
        assertThat(events).hasSize(2);
    }

    @Test
    void changesThatAreNotShownAreToldAndNoTextOfAnErasedComment() throws Exception {
        byte[] notification = IntStream.rangeClosed(1, 3).mapToObj(i -> "{\"id\":\"%d\",\"postId\":\"a\",\"change\":\"%s\"}"
                .formatted(i, i == 1 ? "edited" : "erased")).collect(Collectors.joining(",", "[", "]")).getBytes(UTF_8);
        Selection heard = Selection.of(notification, Set.of("a"));
        Map<String, Object> erased = Map.of("id", "3", "post_id", "a", "written", 7L, "comment", "place", "erased", true);
        String shown = "event: edited\ndata: one\n\nevent: erased\ndata: place\n\n";
        // a replica is late
        assertThat(heard.events(List.of(row("1", "a", "one"), row("2", "a", "text"), erased)).get("a"))
                .isEqualTo(shown + "event: missed\ndata: {\"shown\":2,\"more\":true}\n\n");
        assertThat(heard.events(List.of()).get("a")).isEqualTo("event: missed\ndata: {\"shown\":0,\"more\":true}\n\n");
        Map<String, Object> second = Map.of("id", "2", "post_id", "a", "written", 7L, "comment", "place", "erased", true);
        assertThat(heard.events(List.of(row("1", "a", "one"), second, erased)).get("a")).doesNotContain("missed");
    }

    @Test
    void aListenerGetsNoMoreBytesAtOnceThanAreKeptForHim() throws Exception {
        Selection heard = Selection.of(notification(500, "a"), Set.of("a"));
        List<Map<String, Object>> rows = new ArrayList<>();
        for (int i = 1; i <= 500; i++) {
            rows.add(row(Integer.toString(i), "a", "x".repeat(40_000)));
        }
        byte[] events = heard.events(rows).get("a").getBytes(UTF_8);
        assertThat(events.length).isBetween(Selection.MAX_BYTES, Selection.MAX_BYTES + 45_000);
        assertThat(new String(events, UTF_8)).endsWith("event: batch\ndata: {\"comments\":500,\"posts\":1,\"shown\":7}\n\n");
    }

    @Test
    void bytesAreCountedAndNotCharacters() throws Exception {
        Selection heard = Selection.of(notification(10, "a"), Set.of("a"));
        byte[] events = heard.events(Collections.nCopies(10, row("1", "a", "評".repeat(40_000)))).get("a").getBytes(UTF_8);
        assertThat(events.length).isBetween(Selection.MAX_BYTES, Selection.MAX_BYTES + 120_100);
        assertThat(new String(events, UTF_8)).endsWith("\"shown\":3}\n\n");
    }

    @Test
    void whatHasNoIdOrPostIsNotHeard() throws Exception {
        byte[] notification = "[{\"postId\":\"a\"},{\"id\":\"1\"},{\"id\":2,\"postId\":\"a\"},{\"id\":\"3\",\"postId\":\"\"}]".getBytes(UTF_8);
        assertThat(Selection.of(notification, Set.of("a")).size()).isZero();
        assertThat(Selection.of(notification, Set.of("a", SseClients.ALL)).parameters()).isEqualTo(Map.of("ids", "[\"1\",\"3\"]"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"[{\"id\":", "[{]", "<a/>", "[{\"id\":\"1\",\"postId\":[", "\u0000"})
    void whatIsNoJsonHasNoComments(String notification) {
        assertThat(Selection.of(notification.getBytes(UTF_8), Set.of("a", SseClients.ALL)).size()).isZero();
    }

    @Test
    void ofWhatIsCutOffTheWholeCommentsAreRead() {
        assertThat(Selection.of("[{\"id\":\"1\",\"postId\":\"a\"},{\"id".getBytes(UTF_8), Set.of("a")).size()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{}", "5", "[]", "[1]", "null", "{\"a\":{\"id\":\"1\",\"postId\":\"a\"}}"})
    void whatIsNoArrayOfObjectsHasNoComments(String notification) throws Exception {
        assertThat(Selection.of(notification.getBytes(UTF_8), Set.of("a", SseClients.ALL)).size()).isZero();
    }
}
