package comments.observe;

import org.apache.camel.Exchange;
import org.apache.camel.spi.ExceptionHandler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs in one line, without a stack trace, that the end of the process interrupted the retries of what a timer started. Everything else that a timer
 * can't do is retried, and comes here only when the JVM itself fails: that is logged with its stack trace. Any thread may call it.
 */
public class EndedRetries implements ExceptionHandler {

    private static final Logger LOG = LoggerFactory.getLogger(EndedRetries.class);

    @Override
    public void handleException(Throwable failure) {
        handleException("A timer failed", failure);
    }

    @Override
    public void handleException(String message, Throwable failure) {
        handleException(message, null, failure);
    }

    @Override
    public void handleException(String message, Exchange exchange, Throwable failure) {
        if (exchange != null && failure instanceof Exception && !(failure.getCause() instanceof Error)) {
            LOG.info("The process ends before {} is done: a process that runs or starts does the rest", exchange.getFromRouteId());
        } else {
            LOG.error(message, failure);
        }
    }
}
