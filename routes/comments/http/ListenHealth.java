package comments.http;

import java.util.Map;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/**
 * The health check {@code comments/http}: whether the HTTP server listens, if a route needs it. The management server starts
 * before it, and a balancer must send no request before this is up, nor while the process ends.
 */
public class ListenHealth extends AbstractHealthCheck {

    private HttpEngine engine;

    public ListenHealth() {
        super("comments", "http");
    }

    /** The HTTP server. */
    public void setEngine(HttpEngine engine) {
        this.engine = engine;
    }

    @Override
    public boolean isLiveness() {
        return false;
    }

    @Override
    protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
        if (engine.accepts()) {
            builder.up();
        } else {
            builder.down().message("The HTTP server does not accept requests");
        }
    }
}
