package comments.processor;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.mockito.Mockito.mock;

import com.rabbitmq.client.Channel;
import comments.rabbitmq.Delivery;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.charset.CharacterCodingException;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;

class CommentBatchTest {

    private final Channel channel = mock(Channel.class);
    private final CommentBatch batch = new CommentBatch(false);

    private void add(String body, int comments) {
        batch.add(List.of(new Delivery(channel, batch.deliveries().size() + 1)), body.getBytes(UTF_8), comments);
    }

    private String json() throws IOException {
        return (String) batch.whole().parameters().get("batch");
    }

    private String notification() throws IOException {
        batch.whole();
        return new String(batch.notifications().get(0).json(), UTF_8);
    }

    @Test
    void joinsTheArraysOfItsMessages() throws IOException {
        add("[{\"id\":1},{\"id\":2}]", 2);
        add("[{\"id\":3}]", 1);
        assertThat(json()).isEqualTo("[{\"id\":1},{\"id\":2},{\"id\":3}]");
        assertThat(batch.comments()).isEqualTo(3);
        assertThat(batch.deliveries()).extracting(Delivery::tag).containsExactly(1L, 2L);
    }

    @Test
    void takesABareCommentFromAForeignProducer() throws IOException {
        add(" {\"id\":1}\n", 1);
        add("\r\n[ {\"id\":2} ]\t", 1);
        assertThat(json()).isEqualTo("[{\"id\":1},{\"id\":2}]");
    }

    @Test
    void leavesOutEmptyMessages() throws IOException {
        add("", 1);
        add("[]", 0);
        add("[{\"id\":1}]", 1);
        add("[ ]", 0);
        assertThat(json()).isEqualTo("[{\"id\":1}]");
    }

    @Test
    void fallsIntoItsCommentsAndThenIntoHalves() throws IOException {
        add("[{\"id\":1}, {\"id\":[2,{}]}]", 7);
        add(" {\"id\":3}", 1);
        add("[\"\\u00e4\",5,null]", 1);
        assertThat(batch.whole().parts()).singleElement().satisfies(all -> {
            assertThat(all.parameters()).containsEntry("batch", """
                    [{"id":1},{"id":[2,{}]},{"id":3},"\\u00e4",5,null]""");
            assertThat(all.parts()).extracting(BatchPart::parameters).extracting(part -> part.get("batch"))
                    .containsExactly("""
                            [{"id":1},{"id":[2,{}]},{"id":3}]""", """
                            ["\\u00e4",5,null]""");
        });
        assertThat(batch.comments()).isEqualTo(6);
    }

    @Test
    void leavesOutWhatWasRejected() throws IOException {
        add("[{\"id\":1},{\"id\":2},{\"id\":3}]", 3);
        add("[{\"id\":4},", 1);
        BatchPart all = batch.whole().parts().get(0);
        BatchPart second = all.parts().get(0).parts().get(1);
        BatchPart last = all.parts().get(1).parts().get(1);
        assertThat(second.isSingle()).isTrue();
        assertThat(second.parameters()).containsEntry("batch", "[{\"id\":2}]");
        second.reject(new SQLException("bad", "22P02"));
        last.reject(new SQLException("worse \u0000", "22P02"));
        assertThat(json()).isEqualTo("[{\"id\":1},{\"id\":3}]");
        assertThat(notification()).isEqualTo("[{\"id\":1},{\"id\":3}]");
        assertThat(batch.comments()).isEqualTo(2);
        assertThat(batch.quarantineParameters()).containsEntry("rejected", """
                [{"body":"eyJpZCI6Mn0=","sqlstate":"22P02","reason":"bad"},\
                {"body":"W3siaWQiOjR9LA==","sqlstate":"22P02","reason":"worse "}]""");
    }

    @Test
    void theWholeIsTheWholeAlsoWhenItWasTakenApart() throws IOException {
        add("[{\"id\":1},{\"id\":2}]", 2);
        add("[{\"id\":3},{\"id\":4}]", 2);
        BatchPart whole = batch.whole();
        whole.parts();
        assertThat(whole.parameters()).containsEntry("batch", "[{\"id\":1},{\"id\":2},{\"id\":3},{\"id\":4}]");
        assertThat(whole.isSingle()).isFalse();
    }

    @Test
    void isNotReadAsUtf8WhereItIsNot() throws IOException {
        batch.add(List.of(new Delivery(channel, 1)), new byte[] {'"', (byte) 0xc3, '"'}, 1);
        assertThatThrownBy(() -> new BatchPart(batch, 0, 1).parameters()).isInstanceOf(CharacterCodingException.class);
        add("\"\ufffd\"", 1);
        assertThat(json()).isEqualTo("[\"\ufffd\"]");
        assertThat(batch.quarantineParameters().get("rejected")).asString().contains("not UTF-8");
    }

    @Test
    void rejectsAMessageThatIsOnlyJsonTogetherWithOthers() throws IOException {
        add("{\"postId\":\"p\",\"y\":[1", 1);
        add("[{\"id\":1},{\"id\":2}]", 2);
        add("2]}", 1);
        assertThat(json()).isEqualTo("[{\"id\":1},{\"id\":2}]");
        assertThat(batch.comments()).isEqualTo(2);
        assertThat(batch.quarantineParameters()).containsEntry("rejected", """
                [{"body":"eyJwb3N0SWQiOiJwIiwieSI6WzE=","sqlstate":"22P02","reason":"not JSON"},\
                {"body":"Ml19","sqlstate":"22P02","reason":"not JSON"}]""");
        batch.whole().parts();
        assertThat(json()).isEqualTo("[{\"id\":1},{\"id\":2}]");
        assertThat(batch.rejected()).isEqualTo(2);
        assertThat(notification()).isEqualTo("[{\"id\":1},{\"id\":2}]");
    }

    @Test
    void rejectsAMessageThatIsNestedTooDeeply() throws IOException {
        add("[{\"id\":1}]", 1);
        add("[".repeat(Notifications.MAX_DEPTH + 1), 1);
        add("[{\"id\":2}]", 1);
        assertThat(json()).isEqualTo("[{\"id\":1},{\"id\":2}]");
        assertThat(batch.quarantineParameters().get("rejected")).asString()
                .endsWith("\",\"sqlstate\":\"54001\",\"reason\":\"nested too deeply\"}]");
    }

    /** Each exception has a backtrace of some kilobytes, and a batch may have as many of them as comments. */
    @Test
    void keepsNoException() throws IOException {
        add("[{\"id\":1},{\"id\":2}]", 2);
        SQLException reason = new SQLException("bad", "22P02");
        WeakReference<SQLException> kept = new WeakReference<>(reason);
        batch.whole().parts().get(0).parts().get(0).reject(reason);
        reason = null;
        await().until(() -> {
            System.gc();
            return kept.refersTo(null);
        });
        assertThat(batch.quarantineParameters().get("rejected")).asString().endsWith("\"sqlstate\":\"22P02\",\"reason\":\"bad\"}]");
    }

    @Test
    void countsItsBytes() {
        add("[{\"id\":\"ä\"}]", 1);
        assertThat(batch.bytes()).isEqualTo(13);
    }

    @Test
    void notifiesOfEveryCommentWithoutItsContent() throws IOException {
        add("""
                [{"id":"1","postId":"p","userId":"u","userName":"Ann","content":"\\"content\\":[{","parentId":"2"},\
                {"content":"x","id":"3","postId":"q"}]""", 2);
        assertThat(notification()).isEqualTo("""
                [{"id":"1","postId":"p","userId":"u","userName":"Ann","parentId":"2"},{"id":"3","postId":"q"}]""");
    }
}
