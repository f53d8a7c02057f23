package comments.rabbitmq;

import java.util.Map;
import java.util.stream.Collectors;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/**
 * The health check {@code comments/broker}: whether the broker is there, and allows publishing, on every connection that this
 * process needs. A process without the broker isn't ready, but it is alive, and connects again.
 */
public class BrokerHealth extends AbstractHealthCheck {

    public BrokerHealth() {
        super("comments", "broker");
    }

    @Override
    public boolean isLiveness() {
        return false;
    }

    @Override
    protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
        String unusable = getCamelContext().getRegistry().findByType(RabbitConnectionFactory.class).stream()
                .filter(connections -> !(connections instanceof FanoutConnectionFactory) && !connections.isUsable())
                .map(RabbitConnectionFactory::getPurpose).sorted()
                .collect(Collectors.joining(", "));
        if (unusable.isEmpty()) {
            builder.up();
        } else {
            builder.down().message("The broker is away, or blocks: " + unusable);
        }
    }
}
