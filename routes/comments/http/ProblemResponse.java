package comments.http;

import comments.observe.PipelineMetrics;
import comments.observe.PipelineMetrics.Refusal;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
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
    private static final Duration WARNING_PAUSE = Duration.ofSeconds(1);
    private static final Duration ERROR_PAUSE = Duration.ofMinutes(1);
    private static final int MAX_KINDS = 100;

    private final Map<String, Long> logNanos = new ConcurrentHashMap<>();
    private int status = 500;
    private String detail = Problem.detail(500);
    private LoggingLevel logged = LoggingLevel.OFF;
    private Set<String> unlogged = Set.of();
    private Refusal refusal;

    /** The HTTP status of other failures. 503 adds Retry-After. 500 by default. */
    public void setStatus(int status) {
        this.status = status;
    }

    /** The detail of other failures. */
    public void setDetail(String detail) {
        this.detail = detail;
    }

    /**
     * The level at which failures are logged: WARN in one line, each kind once a second; ERROR with the stack trace, each kind once
     * a minute. A kind is a class of exceptions from one line of code. OFF by default.
     */
    public void setLogged(LoggingLevel logged) {
        this.logged = logged;
    }

    /** The class names of exceptions that are not logged, separated by commas: they repeat a failure that is logged already. */
    public void setUnlogged(String unlogged) {
        this.unlogged = Arrays.stream(unlogged.split(",")).map(String::strip).collect(Collectors.toUnmodifiableSet());
    }

    /** The reason by which other failures are counted. By default they are not counted here. */
    public void setRefusal(Refusal refusal) {
        this.refusal = refusal;
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
        if (refusal != null) {
            PipelineMetrics.refused(refusal);
        }
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
        if (logged == LoggingLevel.OFF || unlogged.contains(failure.getClass().getName()) || !mayLog(failure)) {
            return;
        }
        if (logged == LoggingLevel.ERROR) {
            LOG.error("A request failed", failure);
        } else {
            LOG.warn("A request failed: {}", failure.toString());
        }
    }

    private boolean mayLog(Exception failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        StackTraceElement[] lines = root.getStackTrace();
        String kind = root.getClass().getName() + (lines.length == 0 ? "" : lines[0]);
        if (logNanos.size() >= MAX_KINDS && !logNanos.containsKey(kind)) {
            return false;
        }
        long pause = (logged == LoggingLevel.ERROR ? ERROR_PAUSE : WARNING_PAUSE).toNanos();
        long now = System.nanoTime();
        Long last = logNanos.putIfAbsent(kind, now);
        return last == null || now - last >= pause && logNanos.replace(kind, last, now);
    }
}
