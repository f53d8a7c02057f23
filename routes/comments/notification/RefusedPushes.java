package comments.notification;

import java.time.Instant;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/**
 * The health check {@code comments/refused-pushes}: how many notifications the receiver refused since the start, and why the last
 * one. It is always up: the process works, and a restart does not help.
 *
 * <p>Any number of threads may call it.
 */
public class RefusedPushes extends AbstractHealthCheck implements Processor {

    private record Refused(int notifications, String reason, Instant at) {
    }

    private Refused refused;

    public RefusedPushes() {
        super("comments", "refused-pushes");
    }

    @Override
    public boolean isLiveness() {
        return false;
    }

    /** Notes a notification that was refused, with the reason from the exchange property {@code pushRefused}. */
    @Override
    public synchronized void process(Exchange exchange) {
        refused = new Refused(refused == null ? 1 : refused.notifications + 1, exchange.getProperty("pushRefused", String.class),
                Instant.now());
    }

    @Override
    protected synchronized void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
        builder.up();
        if (refused != null) {
            builder.detail("refused.notifications", refused.notifications).detail("refused.reason", refused.reason)
                    .detail("refused.at", refused.at.toString())
                    .message("The receiver refused %d notifications, the last with %s: they are in the queue notifications-refused"
                            .formatted(refused.notifications, refused.reason));
        }
    }
}
