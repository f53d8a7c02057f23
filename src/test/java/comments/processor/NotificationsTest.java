package comments.processor;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.ObjectMapper;
import comments.processor.Notifications.Notification;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NotificationsTest {

    private static final String DEEP = "[".repeat(1_001) + "]".repeat(1_001);

    private final Notifications notifications = new Notifications(false);

    private Instant add(String body) throws IOException {
        return notifications.add(body.getBytes(UTF_8));
    }

    private List<String> lists(int maxBytes) {
        return notifications.lists(maxBytes).stream().map(list -> new String(list.json(), UTF_8)).toList();
    }

    @Test
    void listsTheFieldsOfEachCommentButNotItsContent() throws IOException {
        add("""
                [ {"id": "1", "postId":"p\\u00e4ä😀", "userId":"u","userName":"\\"Ann\\\\","content":"\\"id\\":[{","parentId":null,\
                "acceptedAt":"2026-11-22T15:00:00.123Z"} ,{"content":"x","id":"2","postId":7}]""");
        add("{\"id\":\"3\",\"postId\":true}");
        assertThat(lists(1_000)).containsExactly("""
                [{"id":"1","postId":"p\\u00e4ä😀","userId":"u","userName":"\\"Ann\\\\","parentId":null,\
                "acceptedAt":"2026-11-22T15:00:00.123Z"},{"id":"2","postId":7},{"id":"3","postId":true}]""");
        assertThat(notifications.comments()).isEqualTo(3);
    }

    @Test
    void leavesOutWhatNoReaderOfANotificationTakes() throws IOException {
        add("[{\"id\":\"1\",\"deep\":" + DEEP + ",\"postId\":" + DEEP + ",\"userId\":" + "9".repeat(100_000)
                + ",\"userName\":\"" + "x".repeat(100_000) + "\"}]");
        assertThat(lists(1_000)).containsExactly("[{\"id\":\"1\"}]");
    }

    @Test
    void leavesOutImportedCommentsUnlessToldOtherwise() throws IOException {
        String body = """
                [{"id":"1"},{"imported":true,"id":"2"},{"imported":false,"id":"3"},{"imported":true,"id":"4","content":"c"},{"id":"5"}]""";
        add(body);
        add("[{\"imported\":true,\"id\":\"6\"}]");
        assertThat(lists(1_000)).containsExactly("[{\"id\":\"1\"},{\"id\":\"3\"},{\"id\":\"5\"}]");
        assertThat(notifications.lists(1_000).get(0).comments()).isEqualTo(3);
        assertThat(notifications.comments()).as("all that are written").isEqualTo(6);

        Notifications all = new Notifications(true);
        all.add(body.getBytes(UTF_8));
        assertThat(all.lists(1_000)).singleElement().satisfies(list -> assertThat(new String(list.json(), UTF_8))
                .isEqualTo("[{\"id\":\"1\"},{\"id\":\"2\"},{\"id\":\"3\"},{\"id\":\"4\"},{\"id\":\"5\"}]"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "{\"id\":\"2\",\"y\":[1", "2]}", "[{\"id\":\"2\"}", "{\"id\":\"2\"}]", "{\"id\":\"2\"},{\"id\":\"3\"}",
        "[{\"id\":\"2\"}],[]", "[{\"id\":\"2\"},]", "[{\"id\":\"2}]", "{\"id\":\"2\"} x", "{\"id\" \"2\"}", "\u001f\u008b\b"})
    void listsNothingOfWhatIsNotOneValue(String body) throws IOException {
        add("[{\"id\":\"1\"}]");
        assertThatThrownBy(() -> add(body)).isInstanceOf(JsonProcessingException.class);
        add("[]");
        add("[{\"id\":\"4\"}]");
        assertThat(lists(1_000)).containsExactly("[{\"id\":\"1\"},{\"id\":\"4\"}]");
        assertThat(notifications.comments()).isEqualTo(2);
    }

    /** The parser remembers each level: a message of nothing but brackets would take more than the heap has. */
    @Test
    void listsNothingOfWhatIsNestedMoreDeeplyThanAnyDatabaseTakes() throws IOException {
        int limit = Notifications.MAX_DEPTH;
        // in an array and an object
        String deepest = "[".repeat(limit - 2) + "]".repeat(limit - 2);
        add("[{\"id\":\"1\",\"deep\":" + deepest + "}]");
        assertThatThrownBy(() -> add("[{\"id\":\"2\",\"deep\":[" + deepest + "]}]")).isInstanceOf(StreamConstraintsException.class);
        assertThatThrownBy(() -> add("[".repeat(9 << 20))).isInstanceOf(StreamConstraintsException.class);
        assertThat(lists(1_000)).containsExactly("[{\"id\":\"1\"}]");
    }

    @Test
    void splitsWhatTheBrokerWouldNotTake() throws IOException {
        for (int i = 10; i < 60; i++) {
            add("[{\"id\":\"" + i + "\",\"content\":\"c\"},{\"id\":\"" + (i + 50) + "\"}]");
        }
        for (int maxBytes : new int[] {1, 12, 25, 26, 100, 1_000_000}) {
            List<Notification> lists = notifications.lists(maxBytes);
            assertThat(lists.stream().mapToInt(Notification::comments).sum()).isEqualTo(100);
            int comments = 0;
            for (Notification list : lists) {
                assertThat(list.json().length).isLessThanOrEqualTo(Math.max(maxBytes, "[{\"id\":\"100\"}]".length()));
                assertThat(new ObjectMapper().readTree(list.json())).hasSize(list.comments());
                comments += list.comments();
            }
            assertThat(comments).isEqualTo(100);
        }
        assertThat(lists(1_000_000)).hasSize(1);
        assertThat(new Notifications(false).lists(10)).isEmpty();
    }

    @Test
    void findsWhenTheFirstCommentWasAccepted() throws IOException {
        assertThat(add("""
                [{"content":"\\"acceptedAt\\":\\"2026-11-22T14:00:00.123Z","x":{"acceptedAt":"2026-11-22T14:00:00.123Z"},\
                "acceptedAt" : "2026-11-22T15:00:00.123Z"},{"acceptedAt":"2026-11-22T16:00:00.123Z"}]"""))
                .isEqualTo("2026-11-22T15:00:00.123Z");
        assertThat(add("{\"acceptedAt\":\"2026-11-22T17:00:00Z\"}")).isEqualTo("2026-11-22T17:00:00Z");
        assertThat(lists(1_000)).as("the value is copied all the same").singleElement().asString().contains("""
                {"acceptedAt":"2026-11-22T15:00:00.123Z"},{"acceptedAt":"2026-11-22T16:00:00.123Z"},\
                {"acceptedAt":"2026-11-22T17:00:00Z"}""");
    }

    @Test
    void passesOverTheTimesOfImportedComments() throws IOException {
        String imported = "{\"imported\":true,\"id\":\"1\",\"acceptedAt\":\"2009-11-22T15:00:00.000Z\"}";
        String foreign = "{\"acceptedAt\":\"2009-11-22T15:00:00.000Z\",\"imported\":true}";
        assertThat(add("[" + imported + "," + foreign + "]")).isNull();
        assertThat(add("[" + imported + "," + foreign + ",{\"imported\":false,\"acceptedAt\":\"2026-11-22T16:00:00.123Z\"}]"))
                .isEqualTo("2026-11-22T16:00:00.123Z");
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "{}", "[{\"content\":\"a\"}]", "[{\"acceptedAt\":\"yesterday, at about three o'clock\"}]",
        "[{\"acceptedAt\":null}]", "[{\"acceptedAt\":1}]", "[{\"acceptedAt\":[\"2026-11-22T16:00:00.123Z\"]}]", "\"acceptedAt\""})
    void findsNoTimeInAForeignMessage(String body) throws IOException {
        add("{\"acceptedAt\":\"2026-11-22T17:00:00Z\"}");
        assertThat(add(body)).isNull();
    }
}
