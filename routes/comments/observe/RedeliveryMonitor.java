package comments.observe;

import java.sql.SQLException;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.apache.camel.support.SynchronizationAdapter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.amqp.AmqpException;

/**
 * Keeps the failures of exchanges that are retried, and logs a warning after attempt 1, 2, 4, 8 and so on. {@link RedeliveryHealth} shows them.
 *
 * <p>Camel calls it after each failed attempt, on any thread.
 */
public class RedeliveryMonitor implements Processor {

    /** An exchange that failed: since when, how often, and the reason of the last failure. */
    record Failure(String routeId, Instant since, int attempts, String reason) {
    }

    private static final Logger LOG = LoggerFactory.getLogger(RedeliveryMonitor.class);
    private static final String UNREACHABLE = "Is PostgreSQL up at POSTGRES_URL?";
    /** What to check, by the beginning of the SQLSTATE. */
    private static final Map<String, String> ADVICE = Map.of(
            "08", UNREACHABLE,
            "57", UNREACHABLE,
            "53100", "The disk of PostgreSQL is full: free space on it",
            "53300", "PostgreSQL has no connection left: raise max_connections, or lower COMMENTS_WRITERS",
            "25006", "PostgreSQL is read-only: is POSTGRES_URL that of a standby?",
            "42501", "Let POSTGRES_USER write to the tables; COMMENTS_RETENTION must also be set where the schema is made",
            "42P01", "A table is missing: was it dropped? A start with POSTGRES_MIGRATE=true makes it");

    private final Map<String, Failure> failures = new ConcurrentHashMap<>();

    @Override
    public void process(Exchange exchange) {
        PipelineMetrics.retried();
        String reason = reason(exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class));
        Failure failure = failures.merge(exchange.getExchangeId(), new Failure(exchange.getFromRouteId(), Instant.now(), 1, reason),
                (before, now) -> new Failure(before.routeId(), before.since(), before.attempts() + 1, reason));
        // at powers of two: the pauses grow, too
        if (Integer.bitCount(failure.attempts()) == 1) {
            LOG.warn("Attempt {} failed in {}, another one follows: {}. {}", failure.attempts(), failure.routeId(), reason,
                    advice(exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class)));
        }
        if (failure.attempts() == 1) {
            exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
                @Override
                public void onDone(Exchange done) {
                    failures.remove(done.getExchangeId());
                }

                // seda: hands it over to its copy, which completes at an unknown time, or never if it is dropped
                @Override
                public boolean allowHandover() {
                    return false;
                }
            });
        }
    }

    /** The failures of all exchanges. */
    Collection<Failure> failures() {
        return failures.values();
    }

    /** The failures of exchanges that a route consumed. */
    Collection<Failure> failures(String routeId) {
        return failures().stream().filter(failure -> routeId.equals(failure.routeId())).toList();
    }

    // The message of a data error quotes the data, so only its SQLSTATE is shown.
    private static String reason(Exception e) {
        if (e instanceof HttpOperationFailedException answer) {
            return "HTTP " + answer.getStatusCode();
        }
        if (e.getCause() instanceof Error error) {
            return error.getClass().getSimpleName();
        }
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
        if (e.getCause() instanceof Error) {
            return "The JVM failed: may it have more memory and threads?";
        }
        return causes(e).anyMatch(AmqpException.class::isInstance)
                ? "Is RabbitMQ up at RABBITMQ_URI, and does the queue accept messages?" : "Check the endpoint that it was sent to";
    }

    private static String sqlState(Exception e) {
        return causes(e).filter(SQLException.class::isInstance).map(cause -> ((SQLException) cause).getSQLState())
                .filter(Objects::nonNull).findFirst().orElse(null);
    }

    private static Stream<Throwable> causes(Throwable e) {
        return Stream.iterate(e, Objects::nonNull, Throwable::getCause);
    }
}
