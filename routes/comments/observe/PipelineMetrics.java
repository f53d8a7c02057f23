package comments.observe;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Metrics;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.CamelContextAware;

/**
 * The metrics of the pipeline. Dashboards and alerts use their names; Prometheus shows them with underscores and units. Writes
 * are counted per group, per batch or per refused request, never per accepted comment; reads per request.
 *
 * <p>Any thread may call the static methods. Without a registry they do nothing. As a bean, this class adds the meters to the
 * registry that Camel publishes on {@code /observe/metrics}.
 */
public final class PipelineMetrics implements CamelContextAware, AutoCloseable {

    /** Why a request is not answered with 202. */
    public enum Refusal {
        /** 400: not JSON, or a malformed header. */
        MALFORMED,
        /** 401: no API key, or an unknown one. */
        UNAUTHORIZED,
        /** 403: the API key lacks a scope. */
        FORBIDDEN,
        /** 429: over the rate of the client, or over its share of a limit. */
        TOO_MANY,
        /** 415: not labelled as JSON. */
        MEDIA_TYPE,
        /** 422: a field is wrong. */
        INVALID,
        /** 413: a body that is too large. */
        TOO_LARGE,
        /** 400, 414 and 431: not HTTP, or a line or header that is too long. */
        NOT_HTTP,
        /** 503: too many requests wait. */
        FULL,
        /** 503: the broker did not confirm. */
        UNCONFIRMED,
        /** 503: an exception of our own, which the log has. */
        FAILED,
        /** 503: the broker is not reachable, or blocks publishers. */
        BROKER_AWAY,
        /** 503: the process ends. */
        STOPPING;

        private final Counter counter = Counter.builder("comments.refused")
                .description("Requests that were not answered with 202")
                .tag("reason", name().toLowerCase(Locale.ROOT).replace('_', '-')).register(Metrics.globalRegistry);
    }

    /** A batch that was committed: when, how many comments it has, and how long its insert took. */
    public record Batch(Instant at, int comments, Duration insert) {
    }

    private static final int LATEST_BATCHES = 20;
    private static final Deque<Batch> LATEST = new ArrayDeque<>();

    private static final String CAMEL_REGISTRY = "metricsRegistry";

    private static final Counter ACCEPTED = Counter.builder("comments.accepted")
            .description("Comments that were answered with 202").register(Metrics.globalRegistry);
    private static final DistributionSummary GROUP_SIZE = DistributionSummary.builder("comments.group.size")
            .description("Comments in one message to the broker").register(Metrics.globalRegistry);
    private static final Timer CONFIRM = timer("comments.confirm", "From publishing a group to its confirm");
    private static final DistributionSummary BATCH_SIZE = DistributionSummary.builder("comments.batch.size")
            .description("Comments in one insert").register(Metrics.globalRegistry);
    private static final Timer INSERT = timer("comments.insert", "From the start of an insert to its commit, with retries");
    private static final Timer COMMITTED = timer("comments.committed",
            "From accepting the first comment of a message to the commit of its batch");
    private static final Counter PERSISTED = Counter.builder("comments.persisted")
            .description("Comments whose batch is committed, whether their rows existed before or not")
            .register(Metrics.globalRegistry);
    // by the status: a 2xx or 3xx, a 4xx, a 5xx
    private static final List<Timer> READS = Stream.of("answered", "refused", "failed").map(outcome ->
            timerBuilder("comments.read", "From a GET of comments to its answer").tag("outcome", outcome)
                    .register(Metrics.globalRegistry)).toList();
    private static final Counter PUSHED = Counter.builder("comments.pushed")
            .description("Comments that were pushed").register(Metrics.globalRegistry);
    private static final Counter PUSH_REFUSED = Counter.builder("comments.push.refused")
            .description("Comments whose push the receiver refused, and that are kept in the queue notifications-refused")
            .register(Metrics.globalRegistry);
    private static final Counter ANNOUNCED = Counter.builder("comments.announced")
            .description("Comments that were pushed, and announced to the clients of the stream").register(Metrics.globalRegistry);
    private static final Counter QUARANTINED = Counter.builder("comments.quarantined")
            .description("Comments in quarantine: the database refused them, or other comments have their ids").register(Metrics.globalRegistry);
    private static final Counter CHANGES_ACCEPTED = Counter.builder("comments.changes.accepted")
            .description("Edits and erasures that were answered with 202").register(Metrics.globalRegistry);
    // a redelivered change is counted again
    private static final Counter EDITED = Counter.builder("comments.changes.applied").tag("kind", "edit")
            .description("Edits and erasures that changed a comment").register(Metrics.globalRegistry);
    private static final Counter ERASED = Counter.builder("comments.changes.applied").tag("kind", "erase")
            .description("Edits and erasures that changed a comment").register(Metrics.globalRegistry);
    private static final Counter CHANGES_QUARANTINED = Counter.builder("comments.changes.quarantined")
            .description("Edits and erasures in quarantine: their comments did not come in time, or they are malformed")
            .register(Metrics.globalRegistry);
    private static final Counter DELETED = Counter.builder("comments.deleted")
            .description("Comments that were deleted because they are older than the retention").register(Metrics.globalRegistry);
    private static final Counter ERASURES_FOUND = Counter.builder("comments.erasures.found")
            .description("Comments of users to erase that were found, and whose erasures are in the queue comment-changes")
            .register(Metrics.globalRegistry);
    private static final AtomicLong CHANGES_WAITING = Metrics.globalRegistry.gauge("comments.changes.waiting", new AtomicLong());
    private static final AtomicLong CHANGES_WAITING_MILLIS = new AtomicLong();
    private static final Counter RETRIED = Counter.builder("comments.retries")
            .description("Failed attempts to settle a batch or a push").register(Metrics.globalRegistry);

    static {
        Gauge.builder("comments.changes.waiting.age", CHANGES_WAITING_MILLIS, millis -> millis.get() / 1e3).baseUnit("seconds")
                .description("How long the oldest edit or erasure has been waiting for its comment").register(Metrics.globalRegistry);
    }

    private MeterRegistry registry;
    private CamelContext camelContext;

    private static Timer timer(String name, String description) {
        return timerBuilder(name, description).register(Metrics.globalRegistry);
    }

    private static Timer.Builder timerBuilder(String name, String description) {
        return Timer.builder(name).description(description).publishPercentileHistogram()
                .minimumExpectedValue(Duration.ofMillis(1)).maximumExpectedValue(Duration.ofSeconds(60));
    }

    /** Comments are about to be answered with 202. */
    public static void accepted(int comments) {
        ACCEPTED.increment(comments);
    }

    /** A group of comments was confirmed. */
    public static void confirmed(int comments, long nanos) {
        GROUP_SIZE.record(comments);
        CONFIRM.record(Duration.ofNanos(nanos));
    }

    /** A request was refused. */
    public static void refused(Refusal reason) {
        reason.counter.increment();
    }

    /** A batch was committed. */
    public static void inserted(int comments, long nanos) {
        BATCH_SIZE.record(comments);
        PERSISTED.increment(comments);
        INSERT.record(Duration.ofNanos(nanos));
        synchronized (LATEST) {
            LATEST.addFirst(new Batch(Instant.now(), comments, Duration.ofNanos(nanos)));
            if (LATEST.size() > LATEST_BATCHES) {
                LATEST.removeLast();
            }
        }
    }

    /** The last batches that were committed, the latest first. */
    public static List<Batch> latestBatches() {
        synchronized (LATEST) {
            return List.copyOf(LATEST);
        }
    }

    /** A comment is committed now, this long after it was accepted. */
    public static void committed(Duration sinceAccepted) {
        COMMITTED.record(sinceAccepted);
    }

    /** A GET of comments was answered with this status. */
    public static void read(int status, long nanos) {
        READS.get(status < 400 ? 0 : status < 500 ? 1 : 2).record(Duration.ofNanos(nanos));
    }

    /** Comments were edited and erased. */
    public static void changed(int edited, int erased) {
        EDITED.increment(edited);
        ERASED.increment(erased);
    }

    /**
     * So many changes wait for their comments now.
     *
     * @param seconds how long the oldest of them has been waiting; 0 without any
     */
    public static void changesWaiting(int changes, double seconds) {
        CHANGES_WAITING_MILLIS.set(Math.round(seconds * 1e3));
        CHANGES_WAITING.set(changes);
    }

    /** An attempt to settle a batch or a push failed. */
    public static void retried() {
        RETRIED.increment();
    }

    /**
     * Registers a gauge. Replaces a gauge of the same name.
     *
     * @param value called by the thread that reads the metrics
     */
    public static <T> void gauge(String name, String description, T object, ToDoubleFunction<T> value) {
        forget(name);
        Gauge.builder(name, object, value).description(description).register(Metrics.globalRegistry);
    }

    // the Camel CLI makes each bean twice, and a registry keeps the first gauge of a name
    private static void forget(String name) {
        Metrics.globalRegistry.find(name).meters().forEach(Metrics.globalRegistry::remove);
    }

    @Override
    public void setCamelContext(CamelContext camelContext) {
        this.camelContext = camelContext;
        registry = camelContext.getRegistry().lookupByNameAndType(CAMEL_REGISTRY, MeterRegistry.class);
        if (registry == null) {
            registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
            camelContext.getRegistry().bind(CAMEL_REGISTRY, registry);
        }
        // registers all reasons before the first refusal
        Refusal.values();
        Metrics.addRegistry(registry);
    }

    @Override
    public CamelContext getCamelContext() {
        return camelContext;
    }

    /** Removes the registry. */
    @Override
    public void close() {
        Metrics.removeRegistry(registry);
    }
}
