package comments.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import com.rabbitmq.client.BlockedListener;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.ShutdownListener;
import com.rabbitmq.client.ShutdownSignalException;
import comments.groupcommit.GroupCommit;
import comments.rabbitmq.BrokerHealth;
import comments.rabbitmq.RabbitConnectionFactory;
import java.io.IOException;
import java.util.concurrent.ExecutorService;
import org.apache.camel.Exchange;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mockito.ArgumentCaptor;
import org.mockito.ArgumentMatchers;

/** The gate of comment-service, with a connection to RabbitMQ that is stood in for. */
class AdmissionControlTest {

    private final Exchange exchange = new DefaultExchange(new DefaultCamelContext());
    private final GroupCommit groupCommit = mock(GroupCommit.class);
    private final ConnectionFactory factory = mock(ConnectionFactory.class);
    private final Connection connection = mock(Connection.class);
    private final RabbitConnectionFactory connections = new RabbitConnectionFactory(factory);
    private final AdmissionControl admit = new AdmissionControl();

    @BeforeEach
    void anOpenConnection() throws Exception {
        when(connection.isOpen()).thenReturn(true);
        when(factory.newConnection(ArgumentMatchers.<ExecutorService>any(), ArgumentMatchers.<String>any())).thenReturn(connection);
        when(groupCommit.hasRoom()).thenReturn(true);
        admit.setConnections(connections);
        admit.setGroupCommit(groupCommit);
    }

    private void assertRefused(String reason) {
        assertThatThrownBy(() -> admit.admit("ann")).as("before the body").isInstanceOf(AdmissionControl.NotAdmittedException.class)
                .hasMessage(reason);
        assertThatThrownBy(() -> admit.process(exchange)).isInstanceOf(AdmissionControl.NotAdmittedException.class).hasMessage(reason);
    }

    private void assertAdmitted() {
        assertThatCode(() -> admit.admit("ann")).doesNotThrowAnyException();
        assertThatCode(() -> admit.process(exchange)).doesNotThrowAnyException();
    }

    @Test
    void everybodyIsAdmittedBeforeTheFirstConnection() {
        assertAdmitted();
    }

    @Test
    void nobodyIsAdmittedWithoutRoomToWait() {
        when(groupCommit.hasRoom()).thenReturn(false);
        assertRefused("FULL");
    }

    @Test
    void nobodyIsAdmittedWhileTheBrokerBlocksTheConnection() throws IOException {
        connections.createConnection();
        ArgumentCaptor<BlockedListener> listener = ArgumentCaptor.forClass(BlockedListener.class);
        verify(connection).addBlockedListener(listener.capture());
        assertAdmitted();
        listener.getValue().handleBlocked("low on disk");
        assertRefused("BROKER_AWAY");
        verify(groupCommit).giveUp();
        listener.getValue().handleUnblocked();
        assertAdmitted();
    }

    @Test
    void theHealthSaysWhichConnectionIsBlocked() throws IOException {
        connections.setName("comment-service publishing");
        DefaultCamelContext context = new DefaultCamelContext();
        context.getRegistry().bind("connections", connections);
        BrokerHealth health = new BrokerHealth();
        health.setCamelContext(context);
        connections.createConnection();
        assertThat(health.call().getState()).isEqualTo(HealthCheck.State.UP);
        ArgumentCaptor<BlockedListener> listener = ArgumentCaptor.forClass(BlockedListener.class);
        verify(connection).addBlockedListener(listener.capture());
        listener.getValue().handleBlocked("low on disk");
        assertThat(health.call().getState()).isEqualTo(HealthCheck.State.DOWN);
        assertThat(health.call().getMessage().orElseThrow()).contains("comment-service publishing");
        assertThat(health.isLiveness()).isFalse();
    }

    @Test
    void nobodyIsAdmittedFromTheLossOfTheConnectionUntilItIsBack() throws Exception {
        connections.createConnection();
        ArgumentCaptor<ShutdownListener> listener = ArgumentCaptor.forClass(ShutdownListener.class);
        verify(connection).addShutdownListener(listener.capture());
        when(connection.isOpen()).thenReturn(false);
        Connection next = mock(Connection.class);
        when(next.isOpen()).thenReturn(true);
        when(factory.newConnection(ArgumentMatchers.<ExecutorService>any(), ArgumentMatchers.<String>any()))
                .thenThrow(new IOException("refused")).thenReturn(next);
        listener.getValue().shutdownCompleted(new ShutdownSignalException(true, false, null, connection));
        assertRefused("BROKER_AWAY");
        await().untilAsserted(this::assertAdmitted);
        assertThat(connections.isUsable()).isTrue();
    }
}
