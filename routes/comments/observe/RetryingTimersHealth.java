package comments.observe;

import java.util.Map;
import java.util.stream.Collectors;
import org.apache.camel.health.HealthCheckResultBuilder;

/**
 * The health check {@code comments/retrying-timers}: down while what a timer starts is retried, with the reason. It matters neither to readiness nor
 * to liveness: batches have a {@link RedeliveryHealth check} of their own. Any thread may call it.
 */
public class RetryingTimersHealth extends InformativeHealth {

    private RedeliveryMonitor monitor;

    public RetryingTimersHealth() {
        super("retrying-timers");
    }

    /** The monitor with the failures. */
    public void setMonitor(RedeliveryMonitor monitor) {
        this.monitor = monitor;
    }

    @Override
    protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
        builder.up();
        String failures = monitor.failures().stream().filter(failure -> isOfTimer(failure.routeId()))
                .map(failure -> "%s was tried %d times since %s: %s".formatted(failure.routeId(), failure.attempts(), failure.since(), failure.reason()))
                .sorted().collect(Collectors.joining("; "));
        if (!failures.isEmpty()) {
            builder.down().message(failures);
        }
    }

    private boolean isOfTimer(String routeId) {
        var route = getCamelContext().getRoute(routeId);
        return route != null && route.getEndpoint().getEndpointUri().startsWith("timer:");
    }
}
