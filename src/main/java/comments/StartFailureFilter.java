package comments;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import org.slf4j.Marker;

/** Drops the stack trace that Camel logs when it can't start: {@link StartFailure} reports the reason in one line. */
public final class StartFailureFilter extends TurboFilter {

    private static final String CONTEXT = "org.apache.camel.impl.engine.AbstractCamelContext";

    @Override
    public FilterReply decide(Marker marker, Logger logger, Level level, String format, Object[] params, Throwable t) {
        return level == Level.ERROR && logger.getName().equals(CONTEXT) && format != null
                && format.startsWith("Error starting CamelContext") ? FilterReply.DENY : FilterReply.NEUTRAL;
    }
}
