package comments.observe;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.apache.camel.CamelContext;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/**
 * The health check {@code comments/retrying-batches} or {@code comments/retrying-pushes}: whether exchanges of a route are
 * retried, and why. A process with such an exchange is alive: a restart does not help. It is not ready, unless it also
 * {@link #servesRequests serves requests}.
 */
public class RedeliveryHealth extends AbstractHealthCheck {

    private final String kind;
    private RedeliveryMonitor monitor;
    private String routeId;

    /** Makes the check of {@code batches} or {@code pushes}. */
    public RedeliveryHealth(String kind) {
        super("comments", "retrying-" + kind);
        this.kind = kind;
    }

    /** The monitor with the failures. */
    public void setMonitor(RedeliveryMonitor monitor) {
        this.monitor = monitor;
    }

    /** The route whose exchanges count. */
    public void setRouteId(String routeId) {
        this.routeId = routeId;
    }

    /**
     * Whether a process serves HTTP requests. Then a failure behind the broker must not make it not ready: a balancer would
     * stop posts and reads that succeed.
     */
    public static boolean servesRequests(CamelContext context) {
        return context.getRoutes().stream().map(route -> route.getEndpoint().getEndpointUri())
                .anyMatch(uri -> uri.startsWith("rest:") || uri.startsWith("platform-http:"));
    }

    @Override
    public boolean isLiveness() {
        return false;
    }

    @Override
    public boolean isReadiness() {
        return !servesRequests(getCamelContext());
    }

    @Override
    protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
        builder.up();
        var failures = monitor.failures(routeId);
        failures.stream().min((a, b) -> a.since().compareTo(b.since())).ifPresent(oldest -> builder.down()
                .message("%d %s can't be settled; the oldest was tried %d times in %d s: %s".formatted(
                        failures.size(), kind, oldest.attempts(),
                        Duration.between(oldest.since(), Instant.now()).toSeconds(), oldest.reason())));
    }
}
