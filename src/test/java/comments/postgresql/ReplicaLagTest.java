package comments.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.health.HealthCheck.State;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;

/** What is told of a replica's lag. */
class ReplicaLagTest {

    private final DefaultCamelContext context = new DefaultCamelContext();
    private final ReplicaLag lag = new ReplicaLag();

    private HealthCheck.Result after(Map<String, Object> row, Exception failure) {
        Exchange exchange = new DefaultExchange(context);
        exchange.getMessage().setBody(List.of(row));
        exchange.setProperty(Exchange.EXCEPTION_CAUGHT, failure);
        lag.process(exchange);
        lag.setCamelContext(context);
        return lag.call();
    }

    private HealthCheck.Result after(boolean replica, boolean receives, double seconds) {
        return after(Map.of("replica", replica, "receives", receives, "seconds", seconds), null);
    }

    @Test
    void aPrimaryHasNone() {
        assertThat(after(false, false, 0).getState()).isEqualTo(State.UP);
        assertThat(lag.behind()).isNull();
    }

    @Test
    void aReplicaIsDownWhenItIsLateAndMattersNotToReadiness() {
        assertThat(after(true, true, 29.5).getState()).isEqualTo(State.UP);
        assertThat(lag.behind()).isEqualTo(Duration.ofMillis(29_500));
        HealthCheck.Result late = after(true, true, 31);
        assertThat(late.getState()).isEqualTo(State.DOWN);
        assertThat(late.getMessage()).contains("The replica is 31 s behind its primary");
        assertThat(lag.isReadiness()).isFalse();
        assertThat(lag.isLiveness()).isFalse();
    }

    @Test
    void aReplicaThatReceivesNothingIsDown() {
        HealthCheck.Result alone = after(true, false, 2);
        assertThat(alone.getState()).isEqualTo(State.DOWN);
        assertThat(alone.getMessage()).contains("The replica receives nothing from its primary; its last commit is 2 s old");
    }

    @Test
    void whileTheDatabaseDoesNotAnswerItIsUnknown() {
        after(true, true, 31);
        assertThat(after(Map.of(), new IllegalStateException()).getState()).isEqualTo(State.UP);
        assertThat(lag.behind()).isNull();
    }
}
