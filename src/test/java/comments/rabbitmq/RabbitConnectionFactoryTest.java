package comments.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyBoolean;
import static org.mockito.ArgumentMatchers.anyInt;
import static org.mockito.ArgumentMatchers.anyString;
import static org.mockito.Mockito.atLeast;
import static org.mockito.Mockito.doAnswer;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.timeout;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.health.HealthCheck.State;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mockito.ArgumentMatchers;
import org.mockito.stubbing.OngoingStubbing;
import org.springframework.amqp.AmqpException;

/** How a connection is made again, with a broker that is stood in for. */
class RabbitConnectionFactoryTest {

    private final ConnectionFactory factory = mock(ConnectionFactory.class);
    private final Connection connection = mock(Connection.class);
    private final Channel channel = mock(Channel.class);
    private final RabbitConnectionFactory connections = new RabbitConnectionFactory(factory);
    private volatile boolean open;

    @BeforeEach
    void aBroker() throws Exception {
        when(factory.getHost()).thenReturn("under-test");
        when(connection.isOpen()).thenAnswer(call -> open);
        doAnswer(call -> open = false).when(connection).abort(anyInt());
        when(connection.createChannel()).thenReturn(channel);
        connections.setUri("amqp://guest:guest@under-test:5672");
        connections.setName("test publishing");
        connections.setQueue("comments");
    }

    @AfterEach
    void close() {
        connections.close();
        await().until(() -> reconnectors() == 0);
    }

    private OngoingStubbing<Connection> connecting() throws Exception {
        return when(factory.newConnection(ArgumentMatchers.<ExecutorService>any(), ArgumentMatchers.<String>any()));
    }

    private OngoingStubbing<AMQP.Queue.DeclareOk> declaring() throws IOException {
        return when(channel.queueDeclare(anyString(), anyBoolean(), anyBoolean(), anyBoolean(), any()));
    }

    private static IOException refusal(int code, String text) {
        return new IOException(new ShutdownSignalException(false, false, new AMQP.Channel.Close.Builder().replyCode(code)
                .replyText(text).build(), null));
    }

    private static long reconnectors() {
        return Thread.getAllStackTraces().keySet().stream().filter(thread -> thread.getName().equals("reconnect under-test"))
                .count();
    }

    private State health() throws IOException {
        try (DefaultCamelContext context = new DefaultCamelContext()) {
            context.getRegistry().bind("connections", connections);
            ReconnectHealth health = new ReconnectHealth();
            health.setCamelContext(context);
            return health.call().getState();
        }
    }

    @Test
    void aQueueThatCanNotBeUsedHasOneThreadThatTriesAgain() throws Exception {
        connecting().thenAnswer(call -> {
            open = true;
            return connection;
        });
        AtomicBoolean refused = new AtomicBoolean(true);
        declaring().thenAnswer(call -> {
            if (refused.get()) {
                throw refusal(AMQP.PRECONDITION_FAILED, "inequivalent arg 'x-queue-type'");
            }
            return null;
        });
        for (int i = 0; i < 10; i++) {
            assertThatThrownBy(connections::createConnection).isInstanceOf(RefusedDeclarationException.class)
                    .hasMessage("the queue comments at under-test:5672 exists with other properties (inequivalent arg"
                            + " 'x-queue-type'). It must be a durable quorum queue: delete it once it is empty");
            assertThat(reconnectors()).isEqualTo(1);
        }
        verify(factory, timeout(10_000).atLeast(13)).newConnection(ArgumentMatchers.<ExecutorService>any(),
                ArgumentMatchers.<String>any());
        assertThat(reconnectors()).isEqualTo(1);
        assertThat(connections.isUsable()).isFalse();
        assertThat(health()).isEqualTo(State.UP);
        refused.set(false);
        await().until(connections::isUsable);
        await().until(() -> reconnectors() == 0);
        assertThat(health()).isEqualTo(State.UP);
    }

    @Test
    void anUnexpectedFailureOrAnErrorDoesNotEndTheThreadThatTriesAgain() throws Exception {
        connecting().thenThrow(new IOException("refused")).thenThrow(new IllegalStateException("unexpected"))
                .thenThrow(new OutOfMemoryError("unexpected")).thenAnswer(call -> {
                    open = true;
                    return connection;
                });
        assertThatThrownBy(connections::createConnection).isInstanceOf(AmqpException.class);
        assertThat(connections.isUsable()).isFalse();
        await().atMost(Duration.ofSeconds(20)).until(connections::isUsable);
        verify(factory, atLeast(4)).newConnection(ArgumentMatchers.<ExecutorService>any(), ArgumentMatchers.<String>any());
        await().until(() -> reconnectors() == 0);
    }

    @Test
    void aThreadThatEndedIsSeenAndReplaced() throws Exception {
        connecting().thenThrow(new IOException("refused"));
        assertThatThrownBy(connections::createConnection).isInstanceOf(AmqpException.class);
        Thread.getAllStackTraces().keySet().stream().filter(thread -> thread.getName().equals("reconnect under-test"))
                .forEach(Thread::interrupt);
        await().until(() -> reconnectors() == 0);
        assertThat(health()).isEqualTo(State.DOWN);
        assertThatThrownBy(connections::createConnection).isInstanceOf(AmqpException.class);
        assertThat(reconnectors()).isEqualTo(1);
        assertThat(health()).isEqualTo(State.UP);
    }

    @Test
    void aProbeLeavesNoThread() throws Exception {
        connecting().thenAnswer(call -> {
            open = true;
            return connection;
        });
        declaring().thenThrow(refusal(405, "exclusive"));
        assertThatThrownBy(connections::probe).hasMessageContaining("belongs to another connection alone");
        assertThat(reconnectors()).isZero();
    }

    @Test
    void aUserThatMayNotDeclareUsesTheQueueThatIsThere() throws Exception {
        connecting().thenAnswer(call -> {
            open = true;
            return connection;
        });
        declaring().thenThrow(refusal(AMQP.ACCESS_REFUSED, "access refused"));
        assertThat(connections.createConnection().isOpen()).isTrue();
        when(channel.queueDeclarePassive("comments")).thenThrow(refusal(AMQP.NOT_FOUND, "no queue"));
        connections.resetConnection();
        open = false;
        assertThatThrownBy(connections::createConnection).hasMessageContaining("is missing, and this user may not declare it");
    }
}
