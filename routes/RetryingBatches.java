package comments;

import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;
import org.apache.camel.support.SynchronizationAdapter;

/**
 * Knows which batches are being tried again, and why: the health check {@code comments/retrying-batches}. A process with
 * such a batch isn't ready, but it is alive: restarting it would not help.
 *
 * <p>As a processor it is called after each failure of a batch.
 */
public class RetryingBatches extends AbstractHealthCheck implements Processor {

    private record Failure(Instant since, int attempts, String reason) {
    }

    private final Map<String, Failure> failures = new ConcurrentHashMap<>();

    public RetryingBatches() {
        super("comments", "retrying-batches");
    }

    @Override
    public boolean isLiveness() {
        return false;
    }

    @Override
    public void process(Exchange exchange) {
        PipelineMetrics.retried();
        String reason = reason(exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class));
        Failure failure = failures.merge(exchange.getExchangeId(), new Failure(Instant.now(), 1, reason),
                (before, now) -> new Failure(before.since(), before.attempts() + 1, reason));
        if (failure.attempts() == 1) {
            exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
                @Override
                public void onDone(Exchange done) {
                    failures.remove(done.getExchangeId());
                }
            });
        }
    }

    @Override
    protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
        builder.up();
        failures.values().stream().min((a, b) -> a.since().compareTo(b.since())).ifPresent(oldest -> builder.down()
                .message("%d batches can't be settled; the oldest was tried %d times in %d s: %s".formatted(
                        failures.size(), oldest.attempts(),
                        Duration.between(oldest.since(), Instant.now()).toSeconds(), oldest.reason())));
    }

    // The message of a data error quotes the data: its SQLSTATE says enough here.
    private static String reason(Exception e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException sql && sql.getSQLState() != null) {
                return "SQLSTATE " + sql.getSQLState();
            }
        }
        return e.getClass().getSimpleName();
    }
}
