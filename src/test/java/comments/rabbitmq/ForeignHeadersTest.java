package comments.rabbitmq;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import comments.EmbeddedBroker;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.Collections;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Headers of foreign messages that look like those that the broker or the pipeline sets. */
@Timeout(120)
class ForeignHeadersTest {

    private static final List<Object> VALUES = List.of("many", "", "NaN", true, -1, 1e300, Long.MAX_VALUE, new Date(), new byte[] {7},
            List.of(9, 8), List.of(), Map.of("a", 1));

    private static byte[] body(String queue, UUID id) {
        return """
                [{"id":"%s","postId":"p","userId":"u","userName":"Ann","content":"%s","acceptedAt":"2026-11-25T12:00:00.000Z"}]"""
                .formatted(id, queue).getBytes(UTF_8);
    }

    private static int written(String database) throws Exception {
        try (var connection = DriverManager.getConnection(database); Statement statement = connection.createStatement();
                ResultSet count = statement.executeQuery("SELECT count(*) FROM comments")) {
            count.next();
            return count.getInt(1);
        }
    }

    @Test
    void noValueOfAHeaderHoldsAQueueUp() throws Exception {
        String database = TestServers.newDatabase();
        List<String> names = List.of("x-delivery-count", "commentCount", "spans", "CamelSpringRabbitmqDeliveryTag");
        try (EmbeddedBroker broker = EmbeddedBroker.startInMemory();
                TestPipeline pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", database,
                        "POSTGRES_USER", "postgres", "COMMENTS_BATCH_INTERVAL", "50", "NOTIFICATIONS_PUSH_ENDPOINT", "mock:push",
                        "NOTIFICATIONS_PER_PERIOD", "1000", "COMMENTS_ROLES", "comment-job-processor,notification-service"))) {
            ConnectionFactory factory = new ConnectionFactory();
            factory.setUri(broker.uri());
            try (Connection connection = factory.newConnection(); Channel channel = connection.createChannel()) {
                for (String queue : List.of("comments", "notifications")) {
                    for (String name : names) {
                        for (Object value : VALUES) {
                            channel.basicPublish("", queue, new BasicProperties.Builder().headers(Map.of(name, value)).build(),
                                    body(queue, UUID.randomUUID()));
                        }
                        channel.basicPublish("", queue, new BasicProperties.Builder().headers(Collections.singletonMap(name, null))
                                .build(), body(queue, UUID.randomUUID()));
                    }
                }
                int all = names.size() * (VALUES.size() + 1);
                await().atMost(Duration.ofSeconds(40)).ignoreExceptions().untilAsserted(() -> assertThat(written(database)).isEqualTo(all));
                AcknowledgeInOrder acknowledge = pipeline.bean("acknowledgeBatch", AcknowledgeInOrder.class);
                await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> assertThat(acknowledge.unsettled()).isZero());
                await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> assertThat(channel.messageCount("notifications")).isZero());
                assertThat(pipeline.observe("health")).doesNotContain("\"DOWN\"");
            }
        }
    }
}
