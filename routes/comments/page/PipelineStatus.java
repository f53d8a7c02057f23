package comments.page;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import com.rabbitmq.client.AMQP.Queue.DeclareOk;
import comments.http.Callers;
import comments.http.InvalidRequestException;
import comments.http.SseClients;
import comments.observe.PipelineMetrics;
import comments.postgresql.PostgresDataSource;
import comments.rabbitmq.RabbitConnectionFactory;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Metrics;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.distribution.CountAtBucket;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
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
 * Answers with what this process counts since it started, how many messages the broker says are in the queues, and how healthy
 * its parts are, as JSON for the page. Counts are totals, times in milliseconds.
 *
 * <p>However many ask, the servers are asked five times a second at most, by one thread; the others get what was last known.
 * Throws {@link RejectedExecutionException} while nothing is, since those who waited for it would hold all the threads.
 */
public class PipelineStatus implements CamelContextAware, Processor {

    private static final List<String> QUEUES = List.of("comments", "notifications");
    private static final long FRESH_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
    private static final JsonFactory JSON = new JsonFactory();

    private final ReentrantLock lock = new ReentrantLock();
    private CamelContext camelContext;
    private Callers callers = new Callers();
    private RabbitConnectionFactory connections;
    private SseClients listeners;
    private PostgresDataSource database;
    private volatile byte[] last;
    private long lastNanos;

    /** Who may ask. By default everybody. */
    public void setCallers(Callers callers) {
        this.callers = callers;
    }

    /** The connection on which the broker is asked. */
    public void setConnections(RabbitConnectionFactory connections) {
        this.connections = connections;
    }

    /** Those who listen to the stream. */
    public void setListeners(SseClients listeners) {
        this.listeners = listeners;
    }

    /** The database, of which is told whether it is there. */
    public void setDatabase(PostgresDataSource database) {
        this.database = database;
    }

    @Override
    public void process(Exchange exchange) throws IOException, InvalidRequestException {
        Message message = exchange.getMessage();
        callers.identify(message);
        write(message, current());
    }

    private byte[] current() throws IOException {
        if (!lock.tryLock()) {
            byte[] known = last;
            if (known == null) {
                throw new RejectedExecutionException("nothing is known yet");
            }
            return known;
        }
        try {
            if (last == null || System.nanoTime() - lastNanos > FRESH_NANOS) {
                last = describe();
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

    private byte[] describe() throws IOException {
        try (ByteArrayBuilder bytes = new ByteArrayBuilder()) {
            try (JsonGenerator json = JSON.createGenerator(bytes)) {
                json.writeStartObject();
                json.writeNumberField("at", System.currentTimeMillis());
                json.writeArrayFieldStart("roles");
                for (String role : camelContext.resolvePropertyPlaceholders("{{COMMENTS_ROLES}}").split(",")) {
                    json.writeString(role);
                }
                json.writeEndArray();
                writeCounts(json);
                writeTimes(json);
                writeLatestBatches(json);
                writeQueues(json);
                writeHealth(json);
                json.writeEndObject();
            }
            return bytes.toByteArray();
        }
    }

    private void writeCounts(JsonGenerator json) throws IOException {
        for (String name : List.of("accepted", "refused", "persisted", "quarantined", "pushed", "retries")) {
            json.writeNumberField(name, (long) Metrics.globalRegistry.find("comments." + name).counters().stream()
                    .mapToDouble(counter -> counter.count()).sum());
        }
        for (String name : List.of("waiting", "unsettled")) {
            json.writeNumberField(name, (long) Metrics.globalRegistry.find("comments." + name).gauges().stream()
                    .mapToDouble(gauge -> gauge.value()).sum());
        }
        json.writeNumberField("listeners", listeners.count());
        writeSummary(json, "groups", Metrics.globalRegistry.get("comments.group.size").summary());
        writeSummary(json, "batches", Metrics.globalRegistry.get("comments.batch.size").summary());
    }

    private static void writeSummary(JsonGenerator json, String name, DistributionSummary summary) throws IOException {
        json.writeObjectFieldStart(name);
        json.writeNumberField("count", summary.count());
        json.writeNumberField("total", (long) summary.totalAmount());
        json.writeEndObject();
    }

    private static void writeTimes(JsonGenerator json) throws IOException {
        writeTimer(json, "confirms", Metrics.globalRegistry.get("comments.confirm").timer());
        writeTimer(json, "inserts", Metrics.globalRegistry.get("comments.insert").timer());
        writeTimer(json, "committed", Metrics.globalRegistry.get("comments.committed").timer());
    }

    private static void writeTimer(JsonGenerator json, String name, Timer timer) throws IOException {
        json.writeObjectFieldStart(name);
        json.writeNumberField("count", timer.count());
        json.writeNumberField("total", timer.totalTime(TimeUnit.MILLISECONDS));
        json.writeArrayFieldStart("buckets");
        double before = 0;
        for (CountAtBucket bucket : timer.takeSnapshot().histogramCounts()) {
            // each has those of the one before, too
            if (bucket.count() > before) {
                json.writeStartArray();
                json.writeNumber(bucket.bucket(TimeUnit.MILLISECONDS));
                json.writeNumber((long) bucket.count());
                json.writeEndArray();
                before = bucket.count();
            }
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void writeLatestBatches(JsonGenerator json) throws IOException {
        json.writeArrayFieldStart("latestBatches");
        for (PipelineMetrics.Batch batch : PipelineMetrics.latestBatches()) {
            json.writeStartObject();
            json.writeNumberField("at", batch.at().toEpochMilli());
            json.writeNumberField("comments", batch.comments());
            json.writeNumberField("millis", batch.insert().toMillis());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private void writeQueues(JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("queues");
        for (String queue : QUEUES) {
            DeclareOk state = state(queue);
            if (state == null) {
                json.writeNullField(queue);
            } else {
                json.writeObjectFieldStart(queue);
                json.writeNumberField("messages", state.getMessageCount());
                json.writeNumberField("consumers", state.getConsumerCount());
                json.writeEndObject();
            }
        }
        json.writeEndObject();
    }

    // null if the broker is away, or has no such queue
    private DeclareOk state(String queue) {
        if (!connections.isUsable()) {
            return null;
        }
        List<DeclareOk> state = new ArrayList<>();
        try {
            RabbitConnectionFactory.on(connections.createConnection(), channel -> state.add(channel.queueDeclarePassive(queue)));
            return state.get(0);
        } catch (AmqpException e) {
            return null;
        }
    }

    /** What is wrong, by the name of the check; a check without anything wrong is null. */
    private void writeHealth(JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("health");
        for (HealthCheck check : camelContext.getRegistry().findByType(HealthCheck.class)) {
            HealthCheck.Result result = check.callReadiness();
            boolean down = result.getState() == HealthCheck.State.DOWN;
            json.writeStringField(check.getGroup() + "/" + check.getId(), down ? result.getMessage().orElse("DOWN") : null);
        }
        json.writeStringField("database", databaseProblem());
        json.writeEndObject();
    }

    private String databaseProblem() {
        try (Connection connection = database.getConnection()) {
            return connection.isValid(1) ? null : "The database does not answer.";
        } catch (SQLException e) {
            return "The database is away.";
        }
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
