package comments.observe;

import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;
import org.apache.camel.support.SynchronizationAdapter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.amqp.AmqpException;

/**
 * Knows which batches, or which pushes, are being tried again, and why: the health checks {@code comments/retrying-batches} and
 * {@code comments/retrying-pushes}. A process with such a one isn't ready, but it is alive: restarting it would not help.
 *
 * <p>As a processor it is called after each failure of one, and warns of it.
 */
public class RedeliveryMonitor extends AbstractHealthCheck implements Processor {

    private record Failure(Instant since, int attempts, String reason) {
    }

    private static final Logger LOG = LoggerFactory.getLogger(RedeliveryMonitor.class);
    private static final String UNREACHABLE = "Is PostgreSQL up at POSTGRES_URL?";
    /** What to look at, by the beginning of the SQLSTATE. */
    private static final Map<String, String> ADVICE = Map.of(
            "08", UNREACHABLE,
            "57", UNREACHABLE,
            "53100", "The disk of PostgreSQL is full: give it room",
            "53300", "PostgreSQL has no connection left: raise max_connections, or lower COMMENTS_WRITERS",
            "25006", "PostgreSQL is read-only: is POSTGRES_URL that of a standby?",
            "42501", "Let POSTGRES_USER write to the tables",
            "42P01", "A table is missing: was it dropped? A start with POSTGRES_MIGRATE=true makes it");

    private final Map<String, Failure> failures = new ConcurrentHashMap<>();
    private final String what;

    /** Knows batches, or pushes, as the parameter says. */
    public RedeliveryMonitor(String what) {
        super("comments", "retrying-" + what);
        this.what = what;
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
        // each time after twice as many attempts: the pauses between them grow, too
        if (Integer.bitCount(failure.attempts()) == 1) {
            LOG.warn("Tried {} times, and goes on trying: {}. {}", failure.attempts(), reason,
                    advice(exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class)));
        }
        if (failure.attempts() == 1) {
            exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
                @Override
                public void onDone(Exchange done) {
                    failures.remove(done.getExchangeId());
                }

                // seda: would give it to its copy, which is done when it likes, or never if it is dropped
                @Override
                public boolean allowHandover() {
                    return false;
                }
            });
        }
    }

    @Override
    protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
        builder.up();
        failures.values().stream().min((a, b) -> a.since().compareTo(b.since())).ifPresent(oldest -> builder.down()
                .message("%d %s can't be settled; the oldest was tried %d times in %d s: %s".formatted(
                        failures.size(), what, oldest.attempts(),
                        Duration.between(oldest.since(), Instant.now()).toSeconds(), oldest.reason())));
    }

    // The message of a data error quotes the data: its SQLSTATE says enough here.
    private static String reason(Exception e) {
        String state = sqlState(e);
        return state == null ? e.getClass().getSimpleName() : "SQLSTATE " + state;
    }

    private static String advice(Exception e) {
        String state = sqlState(e);
        if (state != null) {
            return ADVICE.entrySet().stream().filter(entry -> state.startsWith(entry.getKey())).map(Map.Entry::getValue)
                    .findFirst().orElse("See the log of PostgreSQL");
        }
        if (causes(e).anyMatch(SQLException.class::isInstance)) {
            return UNREACHABLE;
        }
        return causes(e).anyMatch(AmqpException.class::isInstance)
                ? "Is RabbitMQ up at RABBITMQ_URI, and has the queue of notifications room?" : "See what it was sent to";
    }

    private static String sqlState(Exception e) {
        return causes(e).filter(SQLException.class::isInstance).map(cause -> ((SQLException) cause).getSQLState())
                .filter(Objects::nonNull).findFirst().orElse(null);
    }

    private static Stream<Throwable> causes(Throwable e) {
        return Stream.iterate(e, Objects::nonNull, Throwable::getCause);
    }
}
