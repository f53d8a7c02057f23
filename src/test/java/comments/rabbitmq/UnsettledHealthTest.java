package comments.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

import java.time.Duration;
import org.apache.camel.health.HealthCheck.State;
import org.junit.jupiter.api.Test;

/** What shows that messages are stuck, whatever holds them: a database that hangs, or a thread that ended. */
class UnsettledHealthTest {

    private final AcknowledgeInOrder acknowledge = mock(AcknowledgeInOrder.class);

    private UnsettledHealth check(UnsettledHealth health) {
        health.setAcknowledge(acknowledge);
        return health;
    }

    @Test
    void itIsDownWhileAMessageIsOlderThanAMinute() {
        UnsettledHealth health = check(new UnsettledHealth());
        when(acknowledge.unsettled()).thenReturn(3);
        when(acknowledge.oldestUnsettled()).thenReturn(Duration.ofSeconds(59));
        assertThat(health.call().getState()).isEqualTo(State.UP);
        when(acknowledge.oldestUnsettled()).thenReturn(Duration.ofSeconds(61));
        assertThat(health.call().getState()).isEqualTo(State.DOWN);
        assertThat(health.call().getMessage()).hasValue("3 messages, the oldest for 61 s");
        assertThat(health.isLiveness()).isFalse();
    }

    @Test
    void commentsAndChangesHaveOneEach() {
        assertThat(check(new UnsettledHealth()).getId()).isEqualTo("unsettled");
        assertThat(check(new UnsettledHealth("changes")).getId()).isEqualTo("unsettled-changes");
    }
}
