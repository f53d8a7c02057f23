package comments.notification;

import comments.observe.InformativeHealth;
import java.time.Instant;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.health.HealthCheckResultBuilder;

/**
 * The health check {@code comments/refused-pushes}: down while the receiver refused the last notification. It matters neither to
 * readiness nor to liveness: the process works, and posts must not stop.
 *
 * <p>Any number of threads may call it.
 */
public class RefusedPushHealth extends InformativeHealth implements Processor {

    private record Refused(int notifications, String reason, Instant at) {
    }

    // null after a push that the receiver took
    private Refused refused;

    public RefusedPushHealth() {
        super("refused-pushes");
    }

    /** Notes a notification that was pushed, or refused with the reason in the exchange property {@code pushRefused}. */
    @Override
    public synchronized void process(Exchange exchange) {
        String reason = exchange.getProperty("pushRefused", String.class);
        refused = reason == null ? null : new Refused(refused == null ? 1 : refused.notifications + 1, reason, Instant.now());
    }

    @Override
    protected synchronized void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
        builder.up();
        if (refused != null) {
            builder.down().message("The receiver refused %d notifications, the last with %s at %s: they are in the queue notifications-refused"
                    .formatted(refused.notifications, refused.reason, refused.at));
        }
    }
}
