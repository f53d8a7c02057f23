package comments.http;

import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.apache.camel.Exchange;
import org.apache.camel.LoggingLevel;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers a failed request with a problem (RFC 9457): an {@link InvalidRequestException} with its own 4xx, any other failure
 * with the configured status and detail. The answer leaves out the message of the failure, which may quote the request or a
 * server.
 *
 * <p>Replaces all headers, so that nothing of the request is echoed. Any number of threads may call it.
 */
public class ProblemResponse implements Processor {

    private static final Logger LOG = LoggerFactory.getLogger(ProblemResponse.class);
    private static final int RETRY_AFTER_SECONDS = 1;
    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final AtomicLong lastLogged = new AtomicLong(System.nanoTime() - PAUSE_NANOS);
    private int status = 500;
    private String detail = Problem.detail(500);
    private LoggingLevel logged = LoggingLevel.OFF;
    private Set<String> unlogged = Set.of();

    /** The HTTP status of other failures. 503 adds Retry-After. 500 by default. */
    public void setStatus(int status) {
        this.status = status;
    }

    /** The detail of other failures. */
    public void setDetail(String detail) {
        this.detail = detail;
    }

    /** The level at which failures are logged, at most one per second: WARN in one line, ERROR with the stack trace. OFF by default. */
    public void setLogged(LoggingLevel logged) {
        this.logged = logged;
    }

    /** The class names of exceptions that are not logged, separated by commas: they repeat a failure that is logged already. */
    public void setUnlogged(String unlogged) {
        this.unlogged = Arrays.stream(unlogged.split(",")).map(String::strip).collect(Collectors.toUnmodifiableSet());
    }

    @Override
    public void process(Exchange exchange) {
        Message message = exchange.getMessage();
        message.removeHeaders("*");
        Exception failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
        if (failure instanceof InvalidRequestException invalid) {
            write(message, invalid);
            return;
        }
        log(failure);
        if (status == 503) {
            message.setHeader("Retry-After", RETRY_AFTER_SECONDS);
        }
        Problem.write(message, status, detail);
    }

    private static void write(Message message, InvalidRequestException invalid) {
        Problem.write(message, invalid.status(), Problem.json(invalid.status(), invalid.getMessage(), invalid.errors()));
        if (invalid.status() == 401) {
            message.setHeader("WWW-Authenticate", "Bearer");
        }
        if (invalid.retryAfter() != null) {
            message.setHeader("Retry-After", invalid.retryAfter().toSeconds() + 1);
        }
    }

    private void log(Exception failure) {
        if (logged == LoggingLevel.OFF || unlogged.contains(failure.getClass().getName()) || !mayLog()) {
            return;
        }
        if (logged == LoggingLevel.ERROR) {
            LOG.error("A request failed", failure);
        } else {
            LOG.warn("A request failed: {}", failure.toString());
        }
    }

    private boolean mayLog() {
        long last = lastLogged.get();
        long now = System.nanoTime();
        return now - last >= PAUSE_NANOS && lastLogged.compareAndSet(last, now);
    }
}
