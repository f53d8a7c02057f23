package comments.stream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.MessageProperties;
import comments.support.EventStream;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Notifications of foreign producers that can't be read. */
class ForeignNotificationTest extends StreamFixture {

    // the second is nested more deeply than a parser reads
    private static final List<String> BODIES = List.of("no JSON", "[".repeat(2_000) + "]".repeat(2_000), "[{\"id\":\"1\"", "");

    @Test
    void theyHoldNeitherPushesNorTheStreamUp() throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(broker.uri());
        EventStream all = listen(null);
        String before = post(post, "before");
        await().until(() -> all.comments().contains(before));
        try (Connection connection = factory.newConnection(); Channel channel = connection.createChannel()) {
            for (String body : BODIES) {
                channel.basicPublish("", "notifications", MessageProperties.MINIMAL_PERSISTENT_BASIC, body.getBytes(UTF_8));
                channel.basicPublish("pushes", "", MessageProperties.MINIMAL_BASIC, body.getBytes(UTF_8));
            }
            String after = post(post, "after");
            await().atMost(Duration.ofSeconds(20)).until(() -> all.comments().contains(after));
            await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> assertThat(pipeline.observe("health")).doesNotContain("\"DOWN\""));
            assertThat(channel.messageCount("notifications")).isZero();
        }
    }
}
