package comments.processor;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.MessageProperties;
import comments.EmbeddedBroker;
import comments.rabbitmq.AcknowledgeInOrder;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.builder.AdviceWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An Error in a writer, with the embedded servers: the broker delivers again what the batch held, and it is written soon. */
class WriterErrorRecoveryTest {

    @ParameterizedTest
    @CsvSource({"comment-job-processor, comments, insert-comments, acknowledgeBatch",
        "comment-changes, comment-changes, apply-changes, acknowledgeChanges"})
    void whatTheBatchHeldIsDeliveredAgainAndAcknowledged(String route, String queue, String write, String acknowledge) throws Exception {
        String url = TestServers.newDatabase();
        AtomicInteger attempts = new AtomicInteger();
        try (EmbeddedBroker broker = EmbeddedBroker.startInMemory();
                TestPipeline pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", url, "POSTGRES_USER", "postgres",
                        "COMMENTS_ROLES", route + ",notification-service", "COMMENTS_BATCH_INTERVAL", "50"))) {
            AdviceWith.adviceWith(pipeline.context(), route, advice -> advice.weaveById(write).before().process(exchange -> {
                if (attempts.incrementAndGet() == 1) {
                    throw new OutOfMemoryError("of a test: unable to create native thread");
                }
            }));
            publish(broker, queue);
            await().atMost(Duration.ofSeconds(30)).until(() -> attempts.get() == 2);
            AcknowledgeInOrder deliveries = pipeline.bean(acknowledge, AcknowledgeInOrder.class);
            await().atMost(Duration.ofSeconds(30)).until(() -> deliveries.unsettled() == 0);
            assertThat(attempts).hasValue(2);
        }
    }

    private static void publish(EmbeddedBroker broker, String queue) throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(broker.uri());
        UUID id = UUID.randomUUID();
        String message = queue.equals("comments")
                ? "[{\"id\":\"%s\",\"postId\":\"p\",\"userId\":\"u\",\"userName\":\"Ann\",\"content\":\"Hi\",\"acceptedAt\":\"2026-01-01T00:00:00Z\"}]"
                : "[{\"id\":\"%s\",\"change\":\"erase\",\"acceptedAt\":\"2026-01-01T00:00:00Z\"}]";
        try (Connection connection = factory.newConnection(); Channel channel = connection.createChannel()) {
            channel.confirmSelect();
            channel.basicPublish("", queue, MessageProperties.PERSISTENT_BASIC, message.formatted(id).getBytes(UTF_8));
            channel.waitForConfirmsOrDie(5_000);
        }
    }
}
