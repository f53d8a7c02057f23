package comments.rabbitmq;

import java.util.Map;
import java.util.stream.Collectors;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/**
 * The health check {@code comments/reconnect}: whether each lost connection has a thread that connects again. Without this
 * thread, only a restart of the process helps, so this is a matter of liveness, too.
 */
public class ReconnectHealth extends AbstractHealthCheck {

    public ReconnectHealth() {
        super("comments", "reconnect");
    }

    @Override
    public boolean isLiveness() {
        return true;
    }

    @Override
    protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
        String unattended = getCamelContext().getRegistry().findByType(RabbitConnectionFactory.class).stream()
                .filter(connections -> !connections.isAttended()).map(RabbitConnectionFactory::getPurpose).sorted()
                .collect(Collectors.joining(", "));
        if (unattended.isEmpty()) {
            builder.up();
        } else {
            builder.down().message("No thread connects to the broker again for: " + unattended);
        }
    }
}
