package comments.observe;

import org.apache.camel.impl.health.AbstractHealthCheck;

/**
 * A health check that matters neither to readiness nor to liveness: what it tells is for people, while the process does all its work. Only
 * {@code /observe/health} has it.
 */
public abstract class InformativeHealth extends AbstractHealthCheck {

    /** Makes the check {@code comments/<id>}. */
    protected InformativeHealth(String id) {
        super("comments", id);
    }

    @Override
    public final boolean isLiveness() {
        return false;
    }

    @Override
    public final boolean isReadiness() {
        return false;
    }
}
