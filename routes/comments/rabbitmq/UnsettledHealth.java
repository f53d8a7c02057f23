package comments.rabbitmq;

import comments.observe.PipelineMetrics;
import comments.observe.RedeliveryHealth;
import java.time.Duration;
import java.util.Map;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/**
 * The health checks {@code comments/unsettled} of comments, and {@code comments/unsettled-changes} of changes to them: how many
 * messages were received and are not acknowledged, and how old the oldest is. It is down while one is older than a minute, also
 * when the thread that completes batches has ended. The process is alive then, and may still process the message; it is not
 * ready, unless it also {@link RedeliveryHealth#servesRequests serves requests}.
 */
public class UnsettledHealth extends AbstractHealthCheck {

    private static final Duration STUCK = Duration.ofMinutes(1);

    private final String gauge;
    private final String messages;
    private AcknowledgeInOrder acknowledge;

    /** Watches messages of comments. */
    public UnsettledHealth() {
        this("unsettled", "comments.unsettled", "comments");
    }

    /** Watches messages of another kind, such as {@code changes}. */
    public UnsettledHealth(String kind) {
        this("unsettled-" + kind, "comments." + kind + ".unsettled", kind);
    }

    private UnsettledHealth(String id, String gauge, String messages) {
        super("comments", id);
        this.gauge = gauge;
        this.messages = messages;
    }

    /** What acknowledges the messages. Its figures become gauges, too. */
    public void setAcknowledge(AcknowledgeInOrder acknowledge) {
        this.acknowledge = acknowledge;
        PipelineMetrics.gauge(gauge, "Messages of " + messages + " that were received and are not acknowledged yet",
                acknowledge, AcknowledgeInOrder::unsettled);
        PipelineMetrics.gauge(gauge + ".age.seconds", "How long the oldest of them has been waiting", acknowledge,
                unsettled -> unsettled.oldestUnsettled().toMillis() / 1e3);
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
