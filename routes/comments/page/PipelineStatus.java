package comments.page;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.rabbitmq.client.AMQP.Queue.DeclareOk;
import comments.http.ApiKeys;
import comments.http.InvalidRequestException;
import comments.observe.PipelineMetrics;
import comments.postgresql.ReactiveSqlComponent;
import comments.rabbitmq.RabbitConnectionFactory;
import comments.rabbitmq.SpreadConnectionFactory;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Metrics;
import io.micrometer.core.instrument.distribution.CountAtBucket;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.camel.CamelContext;
import org.apache.camel.CamelContextAware;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.health.HealthCheck;
import org.springframework.amqp.AmqpException;

/**
 * Answers with the counts of this process since its start, the number of messages that the broker reports for the queues, and
 * the health checks, as JSON for the page. Counts are totals, times are in milliseconds.
 *
 * <p>For any number of clients, one thread queries the servers, at most five times per second; other requests get the last
 * answer. Throws {@link RejectedExecutionException} before the first answer, because waiting requests would hold all threads.
 */
public class PipelineStatus implements CamelContextAware, Processor {

    /** The JSON that the page reads. */
    private record Status(long at, String[] roles, long accepted, long refused, long persisted, long quarantined, long pushed,
            long retries, long waiting, long unsettled, long listeners, Summary groups, Summary batches, Times confirms,
            Times inserts, Times committed, List<Batch> latestBatches, Map<String, Queue> queues, Map<String, String> health) {
    }

    private record Summary(long count, long total) {

        static Summary of(String name) {
            DistributionSummary summary = Metrics.globalRegistry.get(name).summary();
            return new Summary(summary.count(), (long) summary.totalAmount());
        }
    }

    /** A timer; each bucket has its upper bound, and the number of times below it. */
    private record Times(long count, double total, List<Number[]> buckets) {

        static Times of(String name) {
            var timer = Metrics.globalRegistry.get(name).timer();
            List<Number[]> buckets = new ArrayList<>();
            double before = 0;
            for (CountAtBucket bucket : timer.takeSnapshot().histogramCounts()) {
                // each includes the buckets before
                if (bucket.count() > before) {
                    buckets.add(new Number[] {bucket.bucket(TimeUnit.MILLISECONDS), (long) bucket.count()});
                    before = bucket.count();
                }
            }
            return new Times(timer.count(), timer.totalTime(TimeUnit.MILLISECONDS), buckets);
        }
    }

    private record Batch(long at, int comments, long millis) {
    }

    private record Queue(int messages, int consumers) {

        Queue and(Queue other) {
            return new Queue(messages + other.messages, consumers + other.consumers);
        }
    }

    private static final long FRESH_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
    private static final int DATABASE_MILLIS = 1_000;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ReentrantLock lock = new ReentrantLock();
    private CamelContext camelContext;
    private ApiKeys apiKeys = new ApiKeys();
    private volatile byte[] last;
    private long lastNanos;

    /** The API keys with which a client may read the status. By default none is needed. */
    public void setApiKeys(ApiKeys apiKeys) {
        this.apiKeys = apiKeys;
    }

    @Override
    public void process(Exchange exchange) throws IOException, InvalidRequestException {
        Message message = exchange.getMessage();
        apiKeys.require(message);
        write(message, current());
    }

    private byte[] current() throws IOException {
        if (!lock.tryLock()) {
            byte[] latest = last;
            if (latest == null) {
                throw new RejectedExecutionException("no status yet");
            }
            return latest;
        }
        try {
            if (last == null || System.nanoTime() - lastNanos > FRESH_NANOS) {
                last = JSON.writeValueAsBytes(status());
                lastNanos = System.nanoTime();
            }
            return last;
        } finally {
            lock.unlock();
        }
    }

    private static void write(Message message, byte[] json) {
        message.removeHeaders("*");
        message.setHeader(Exchange.HTTP_RESPONSE_CODE, 200);
        message.setHeader(Exchange.CONTENT_TYPE, "application/json");
        message.setHeader("X-Content-Type-Options", "nosniff");
        message.setBody(json);
    }

    private Status status() {
        return new Status(System.currentTimeMillis(), camelContext.resolvePropertyPlaceholders("{{COMMENTS_ROLES}}").split(","),
                counted("accepted"), counted("refused"), counted("persisted"), counted("quarantined"), counted("pushed"),
                counted("retries"), shown("waiting"), shown("unsettled"), shown("listeners"), Summary.of("comments.group.size"),
                Summary.of("comments.batch.size"), Times.of("comments.confirm"), Times.of("comments.insert"),
                Times.of("comments.committed"), latestBatches(), queues(), health());
    }

    private static long counted(String name) {
        return (long) Metrics.globalRegistry.find("comments." + name).counters().stream()
                .mapToDouble(counter -> counter.count()).sum();
    }

    private static long shown(String name) {
        return (long) Metrics.globalRegistry.find("comments." + name).gauges().stream().mapToDouble(gauge -> gauge.value()).sum();
    }

    private static List<Batch> latestBatches() {
        return PipelineMetrics.latestBatches().stream()
                .map(batch -> new Batch(batch.at().toEpochMilli(), batch.comments(), batch.insert().toMillis())).toList();
    }

    // null if the broker is not reachable, or has no such queue
    private Map<String, Queue> queues() {
        Map<String, Queue> queues = new LinkedHashMap<>();
        Queue comments = queue("comments");
        int number = Integer.parseInt(camelContext.resolvePropertyPlaceholders("{{COMMENTS_QUEUES:1}}"));
        for (String further : SpreadConnectionFactory.further("comments", number)) {
            Queue more = queue(further);
            comments = comments == null || more == null ? null : comments.and(more);
        }
        queues.put("comments", comments);
        queues.put("notifications", queue("notifications"));
        return queues;
    }

    private Queue queue(String name) {
        RabbitConnectionFactory connections = bean("pushListening", RabbitConnectionFactory.class);
        if (!connections.isUsable()) {
            return null;
        }
        try {
            DeclareOk state = RabbitConnectionFactory.look(connections.createConnection(), name);
            return state == null ? null : new Queue(state.getMessageCount(), state.getConsumerCount());
        } catch (AmqpException e) {
            return null;
        }
    }

    /** The problem, by the name of the check; null if the check is up. */
    private Map<String, String> health() {
        Map<String, String> health = new LinkedHashMap<>();
        for (HealthCheck check : camelContext.getRegistry().findByType(HealthCheck.class)) {
            HealthCheck.Result result = check.callReadiness();
            boolean down = result.getState() == HealthCheck.State.DOWN;
            health.put(check.getGroup() + "/" + check.getId(), down ? result.getMessage().orElse("DOWN") : null);
        }
        health.put("database", databaseProblem());
        return health;
    }

    private String databaseProblem() {
        return bean("reactive-sql", ReactiveSqlComponent.class).problem(DATABASE_MILLIS);
    }

    // of other route files, which are loaded in any order
    private <T> T bean(String name, Class<T> type) {
        return camelContext.getRegistry().lookupByNameAndType(name, type);
    }

    @Override
    public void setCamelContext(CamelContext camelContext) {
        this.camelContext = camelContext;
    }

    @Override
    public CamelContext getCamelContext() {
        return camelContext;
    }
}
