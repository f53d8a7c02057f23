package comments.groupcommit;

import java.util.Map;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/**
 * The health check {@code comments/publishers}: whether the threads of each {@link GroupCommit} are alive. Without them, only a
 * restart of the process helps, so this is a matter of liveness, too.
 */
public class PublisherHealth extends AbstractHealthCheck {

    public PublisherHealth() {
        super("comments", "publishers");
    }

    @Override
    public boolean isLiveness() {
        return true;
    }

    @Override
    protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
        if (getCamelContext().getRegistry().findByType(GroupCommit.class).stream().allMatch(GroupCommit::isAlive)) {
            builder.up();
        } else {
            builder.down().message("A thread of the group commit has ended: restart the process");
        }
    }
}
