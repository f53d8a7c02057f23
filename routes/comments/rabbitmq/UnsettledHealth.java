package comments.rabbitmq;

import comments.observe.PipelineMetrics;
import comments.observe.RedeliveryHealth;
import java.time.Duration;
import java.util.Map;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/**
 * The health check {@code comments/unsettled}: how many messages of comments were received and are not acknowledged, and
 * how old the oldest is. It is down while one is older than a minute. The process is alive then, and still processes the
 * message; it is not ready, unless it also {@link RedeliveryHealth#servesRequests serves requests}.
 */
public class UnsettledHealth extends AbstractHealthCheck {

    private static final Duration STUCK = Duration.ofMinutes(1);

    private AcknowledgeInOrder acknowledge;

    public UnsettledHealth() {
        super("comments", "unsettled");
    }

    /** What acknowledges the messages of comments. Its figures become gauges, too. */
    public void setAcknowledge(AcknowledgeInOrder acknowledge) {
        this.acknowledge = acknowledge;
        PipelineMetrics.gauge("comments.unsettled", "Messages of comments that were received and are not acknowledged yet",
                acknowledge, AcknowledgeInOrder::unsettled);
        PipelineMetrics.gauge("comments.unsettled.age.seconds", "How long the oldest of them has been waiting", acknowledge,
                messages -> messages.oldestUnsettled().toMillis() / 1e3);
    }

    @Override
    public boolean isLiveness() {
        return false;
    }

    @Override
    public boolean isReadiness() {
        return !RedeliveryHealth.servesRequests(getCamelContext());
    }

    @Override
    protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
        Duration oldest = acknowledge.oldestUnsettled();
        builder.detail("unsettled.messages", acknowledge.unsettled()).detail("unsettled.oldest.seconds", oldest.toSeconds())
                .state(oldest.compareTo(STUCK) < 0 ? State.UP : State.DOWN)
                .message("%d messages, the oldest for %d s".formatted(acknowledge.unsettled(), oldest.toSeconds()));
    }
}
