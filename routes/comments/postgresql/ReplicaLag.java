package comments.postgresql;

import comments.observe.InformativeHealth;
import comments.observe.PipelineMetrics;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.health.HealthCheckResultBuilder;

/**
 * How far the replica that is read from is behind its primary: the health check {@code comments/replica-lag}, and the gauge
 * {@code comments.replica.lag.seconds}, which is no number while no replica is read from. The check is down while the replica receives nothing, or is
 * more than {@value #MAX_SECONDS} s behind. It matters neither to readiness nor to liveness: when all replicas are late, late reads are
 * better than none.
 *
 * <p>One thread notes what is measured; any number of threads may ask.
 */
public class ReplicaLag extends InformativeHealth implements Processor {

    static final int MAX_SECONDS = 30;

    private static final String GAUGE = "comments.replica.lag.seconds";

    // then it may be another
    private static final long KNOWN_NANOS = Duration.ofSeconds(10).toNanos();

    private record Lag(boolean receives, double seconds, long at) {
    }

    // null while no replica is read from, or it does not answer
    private volatile Lag lag;

    public ReplicaLag() {
        super("replica-lag");
        PipelineMetrics.gauge(GAUGE, "How far the replica is behind its primary; if it receives nothing, the age of its last commit", this,
                ReplicaLag::seconds);
    }

    /** Notes the row of select-replica-lag.sql, or that it was not read. Called by one thread. */
    @Override
    @SuppressWarnings("unchecked")
    public void process(Exchange exchange) {
        boolean failed = exchange.getProperty(Exchange.EXCEPTION_CAUGHT) != null;
        Map<String, Object> row = failed ? Map.of() : (Map<String, Object>) exchange.getMessage().getBody(List.class).get(0);
        if (!Boolean.TRUE.equals(row.get("replica"))) {
            lag = null;
            return;
        }
        lag = new Lag((Boolean) row.get("receives"), (Double) row.get("seconds"), System.nanoTime());
    }

    private Lag last() {
        Lag last = lag;
        return last != null && System.nanoTime() - last.at < KNOWN_NANOS ? last : null;
    }

    private double seconds() {
        Lag last = last();
        return last == null ? Double.NaN : last.seconds;
    }

    /** By how much the replica is behind its primary; null if no replica is read from. */
    public Duration behind() {
        Lag last = last();
        return last == null ? null : Duration.ofMillis((long) (1_000 * last.seconds));
    }

    @Override
    protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
        Lag last = last();
        builder.up();
        if (last == null) {
            return;
        }
        builder.detail("replica.lag.seconds", last.seconds);
        if (!last.receives) {
            builder.down().message("The replica receives nothing from its primary; its last commit is %.0f s old".formatted(last.seconds));
        } else if (last.seconds > MAX_SECONDS) {
            builder.down().message("The replica is %.0f s behind its primary".formatted(last.seconds));
        }
    }
}
