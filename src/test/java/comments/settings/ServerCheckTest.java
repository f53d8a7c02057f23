package comments.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import comments.EmbeddedBroker;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.net.http.HttpResponse;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What of the broker is found at the start, and how settings with a line break at their end are taken. */
class ServerCheckTest {

    private static final String ALL = String.join(",", Settings.ROLES);

    private EmbeddedBroker broker;

    @BeforeEach
    void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
    }

    @AfterEach
    void stop() {
        broker.close();
    }

    private Connection connect() throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(broker.uri());
        return factory.newConnection();
    }

    @Test
    void aBrokerThatHasNothingYetCanBeUsed() {
        assertThatCode(() -> ServerCheck.broker(broker.uri(), ALL, 1)).doesNotThrowAnyException();
        assertThatCode(() -> ServerCheck.broker(broker.uri(), ALL, 1)).doesNotThrowAnyException();
    }

    @Test
    void aQueueThatAnotherConnectionHoldsIsNamedInOneLine() throws Exception {
        try (Connection other = connect(); Channel channel = other.createChannel()) {
            channel.queueDeclare("notifications", false, true, false, Map.of());
            assertThatThrownBy(() -> ServerCheck.broker(broker.uri(), ALL, 1)).isInstanceOf(ConfigurationException.class)
                    .hasMessageMatching("RABBITMQ_URI: the queue notifications at 127\\.0\\.0\\.1:\\d+ .*It must be a durable"
                            + " quorum queue.*");
            assertThatCode(() -> ServerCheck.broker(broker.uri(), "comment-service", 1)).doesNotThrowAnyException();
        }
    }

    @Test
    void anExchangeOfAnotherTypeIsNamed() throws Exception {
        try (Connection other = connect(); Channel channel = other.createChannel()) {
            channel.exchangeDeclare("pushes", "topic", true);
            assertThatThrownBy(() -> ServerCheck.broker(broker.uri(), "notification-service", 1))
                    .isInstanceOf(ConfigurationException.class).hasMessageContaining("the exchange pushes at 127.0.0.1:");
        }
    }

    @Test
    void everySettingMayEndWithALineBreak() throws Exception {
        Map<String, String> settings = new HashMap<>(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL",
                TestServers.newDatabase(), "POSTGRES_USER", "postgres", "POSTGRES_PASSWORD", "any", "COMMENTS_ROLES", ALL,
                "COMMENTS_PUBLISHERS", "2", "NOTIFICATIONS_PUSH_ENDPOINT", "direct:simulated-push", "OBSERVE_TRACES", "false"));
        settings.replaceAll((name, value) -> value + "\n");
        try (TestPipeline pipeline = TestPipeline.start(settings)) {
            HttpResponse<String> answer = pipeline.post("/comments", TestPipeline.COMMENT);
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
        }
    }
}
