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
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Messages whose properties say more than ours do. */
@Timeout(120)
class ForeignMessageTest {

    private static byte[] comment(int number) {
        return """
                {"id":"%s","postId":"p","userId":"u","userName":"Ann","content":"%d","acceptedAt":"2026-11-25T12:00:00.000Z"}"""
                .formatted(UUID.randomUUID(), number).getBytes(UTF_8);
    }

    private static int written(String database) throws Exception {
        try (var connection = DriverManager.getConnection(database, "postgres", "any");
                Statement statement = connection.createStatement();
                ResultSet count = statement.executeQuery("SELECT count(*) FROM comments")) {
            count.next();
            return count.getInt(1);
        }
    }

    @Test
    void propertiesOfAMessageDoNotMatter() throws Exception {
        String database = TestServers.newDatabase();
        ConnectionFactory factory = new ConnectionFactory();
        try (EmbeddedBroker broker = EmbeddedBroker.startInMemory();
                TestPipeline pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", database,
                        "POSTGRES_USER", "postgres", "COMMENTS_ROLES", "comment-job-processor,notification-service"))) {
            factory.setUri(broker.uri());
            try (Connection connection = factory.newConnection(); Channel channel = connection.createChannel()) {
                channel.queueDeclare("replies", false, false, false, Map.of());
                // no reply, which would be published on the connection that consumes
                channel.basicPublish("", "comments", new BasicProperties.Builder().replyTo("replies").correlationId("1").build(),
                        comment(1));
                channel.basicPublish("", "comments", new BasicProperties.Builder().contentType("text/plain")
                        .contentEncoding("no-such-encoding").priority(9).build(), comment(2));
                channel.basicPublish("", "comments", new BasicProperties.Builder().contentType("text/plain")
                        .contentEncoding("UTF-16").build(), comment(3));
                channel.basicPublish("", "comments", new BasicProperties.Builder()
                        .headers(Map.of("CamelSpringRabbitmqDeliveryTag", 99L, "commentCount", "many")).build(), comment(4));
                // the table is made when the first batch needs it
                await().atMost(Duration.ofSeconds(20)).ignoreExceptions().until(() -> written(database) == 4);
                AcknowledgeInOrder acknowledge = pipeline.bean("acknowledgeBatch", AcknowledgeInOrder.class);
                await().atMost(Duration.ofSeconds(20)).until(() -> acknowledge.unsettled() == 0);
                assertThat(channel.messageCount("replies")).isZero();
            }
        }
    }
}
