package comments;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.mock;

import com.rabbitmq.client.Channel;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class CommentBatchTest {

    private final Channel channel = mock(Channel.class);
    private final CommentBatch batch = new CommentBatch();

    private void add(String body, int comments) {
        batch.add(new Delivery(channel, batch.deliveries().size() + 1), body.getBytes(UTF_8), comments);
    }

    private String json() {
        return new String(batch.json(), UTF_8);
    }

    @Test
    void joinsTheArraysOfItsMessages() {
        add("[{\"id\":1},{\"id\":2}]", 2);
        add("[{\"id\":3}]", 1);
        assertThat(json()).isEqualTo("[{\"id\":1},{\"id\":2},{\"id\":3}]");
        assertThat(batch.comments()).isEqualTo(3);
        assertThat(batch.deliveries()).extracting(Delivery::tag).containsExactly(1L, 2L);
    }

    @Test
    void takesABareCommentFromAForeignProducer() {
        add(" {\"id\":1}\n", 1);
        add("\r\n[ {\"id\":2} ]\t", 1);
        assertThat(json()).isEqualTo("[{\"id\":1},{\"id\":2}]");
    }

    @Test
    void leavesOutEmptyMessages() {
        add("", 1);
        add("[]", 0);
        add("[{\"id\":1}]", 1);
        add("[ ]", 0);
        assertThat(json()).isEqualTo("[{\"id\":1}]");
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
        assertThat(new String(batch.notification(), UTF_8)).isEqualTo("""
                [{"id":"1","postId":"p","userId":"u","userName":"Ann","parentId":"2"},{"id":"3","postId":"q"}]""");
    }
}
