package comments.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import comments.EmbeddedBroker;
import comments.support.Proxy;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.amqp.core.MessageBuilder;
import org.springframework.amqp.rabbit.core.RabbitTemplate;

/** A connection whose other end is gone without a word, in the middle of a message. */
@Timeout(120)
class DeadLinkTest {

    private static final byte[] LARGE = new byte[32 << 20];

    static {
        Arrays.fill(LARGE, (byte) ' ');
    }

    private static boolean publish(RabbitConnectionFactory connections, byte[] body) {
        return Boolean.TRUE.equals(new RabbitTemplate(connections).invoke(publishing -> {
            publishing.send("", "comments", MessageBuilder.withBody(body).build());
            return publishing.waitForConfirms(5_000);
        }));
    }

    @Test
    void aPublisherThatHangsInAWriteIsFreedAndTheNextLinkIsUsed() throws Exception {
        RabbitConnectionFactory connections = new RabbitConnectionFactory();
        ExecutorService publisher = Executors.newSingleThreadExecutor();
        try (EmbeddedBroker broker = EmbeddedBroker.startInMemory();
                Proxy proxy = new Proxy(Integer.parseInt(broker.uri().replaceAll(".*:", "")), 4 << 10)) {
            connections.setUri(broker.uri().replaceAll("\\d+$", Integer.toString(proxy.port())));
            connections.setName("test");
            connections.setQueue("comments");
            connections.setMandatory(true);
            assertThat(publish(connections, new byte[] {'1'})).isTrue();
            proxy.swallow();
            Future<Boolean> hanging = publisher.submit(() -> publish(connections, LARGE));
            assertThatThrownBy(() -> hanging.get(50, TimeUnit.SECONDS)).isInstanceOf(java.util.concurrent.ExecutionException.class);
            await().atMost(Duration.ofSeconds(10)).until(connections::isUsable);
            assertThat(publish(connections, new byte[] {'2'})).isTrue();
        } finally {
            connections.close();
            publisher.shutdownNow();
        }
    }
}
