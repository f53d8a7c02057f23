package comments.observe;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.support.SynchronizationAdapter;

/**
 * Traces comments through the queue with OpenTelemetry: a span for each request, in the client's trace if the request has a W3C
 * {@code traceparent}, and a span for each written batch, with links to the requests of its comments.
 *
 * <p>A message carries the ids of the sampled spans of its requests, at most {@value #MAX_SPANS}. The ids are generated here. Of
 * the client's header only the id of the trace is used: 32 hexadecimal digits, or it is ignored.
 *
 * <p>OpenTelemetry's own variables, {@code OTEL_…}, set where spans are sent and which are sampled. Any number of
 * threads may call it.
 */
public final class Traces implements AutoCloseable {

    /** The header of a request that has the span of its client. */
    public static final String TRACEPARENT = "traceparent";
    /** The header of a message that holds the ids. */
    static final String SPANS = "spans";
    static final int MAX_SPANS = 32;

    private static final int MAX_LINKS = 128;
    private static final String SPAN = "span";
    private static final Pattern ID = Pattern.compile("([0-9a-f]{32})-([0-9a-f]{16})");
    private static final TextMapGetter<List<String>> TRACEPARENT_VALUES = new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(List<String> values) {
            return List.of(TRACEPARENT);
        }

        @Override
        public String get(List<String> values, String key) {
            return key.equals(TRACEPARENT) && values.size() == 1 ? values.get(0) : null;
        }
    };

    private OpenTelemetrySdk sdk;
    private Tracer tracer;

    /** Whether spans are made. Off by default. */
    public void setEnabled(boolean enabled) {
        if (enabled) {
            sdk = AutoConfiguredOpenTelemetrySdk.builder().disableShutdownHook()
                    .addPropertiesSupplier(() -> Map.of("otel.service.name", "comments", "otel.metrics.exporter", "none",
                            "otel.logs.exporter", "none"))
                    .build().getOpenTelemetrySdk();
            tracer = sdk.getTracer("comments");
        }
    }

    /** Returns this, or null if no spans are made: so code that runs for each comment only compares with null. */
    public Traces ifEnabled() {
        return tracer == null ? null : this;
    }

    /**
     * Begins the span of a request. It ends when the exchange is done.
     *
     * @param traceparent the values of the header {@value #TRACEPARENT} of the request
     */
    public void begin(Exchange exchange, List<String> traceparent) {
        Context client = W3CTraceContextPropagator.getInstance().extract(Context.root(), traceparent, TRACEPARENT_VALUES);
        Span span = tracer.spanBuilder("POST /comments").setSpanKind(SpanKind.SERVER).setParent(client)
                .setAttribute("http.request.method", "POST").setAttribute("http.route", "/comments").startSpan();
        exchange.setProperty(SPAN, span);
        exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
            @Override
            public void onDone(Exchange done) {
                int status = done.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, 500, Integer.class);
                span.setAttribute("http.response.status_code", status);
                if (status >= 500) {
                    span.setStatus(StatusCode.ERROR);
                }
                span.end();
            }
        });
    }

    /** Adds the ids of the sampled spans of requests to the message that carries their comments. */
    public void carry(List<Exchange> requests, Message message) {
        StringBuilder ids = new StringBuilder();
        int carried = 0;
        for (Exchange request : requests) {
            Span span = request.getProperty(SPAN, Span.class);
            if (span != null && span.getSpanContext().isSampled() && carried < MAX_SPANS) {
                ids.append(carried++ == 0 ? "" : ",").append(span.getSpanContext().getTraceId()).append('-')
                        .append(span.getSpanContext().getSpanId());
            }
        }
        if (carried > 0) {
            message.setHeader(SPANS, ids.toString());
        }
    }

    /** Adds the ids that a message carries. Skips any that {@link #carry} would not write. */
    public static void gather(Message message, List<SpanContext> links) {
        String ids = message.getHeader(SPANS, String.class);
        if (ids == null) {
            return;
        }
        Matcher id = ID.matcher(ids);
        for (int i = 0; i < MAX_SPANS && links.size() < MAX_LINKS && id.find(); i++) {
            SpanContext request = SpanContext.createFromRemoteParent(id.group(1), id.group(2), TraceFlags.getSampled(),
                    TraceState.getDefault());
            if (request.isValid()) {
                links.add(request);
            }
        }
    }

    /** Makes the span of a batch that was just committed, if any of its requests is traced. */
    public void written(List<SpanContext> links, int comments, long nanos) {
        if (links.isEmpty()) {
            return;
        }
        Instant end = Instant.now();
        SpanBuilder batch = tracer.spanBuilder("write comments").setSpanKind(SpanKind.CONSUMER).setNoParent()
                .setStartTimestamp(end.minus(Duration.ofNanos(nanos)))
                .setAttribute("messaging.system", "rabbitmq").setAttribute("messaging.destination.name", "comments")
                .setAttribute("messaging.batch.message_count", comments);
        links.forEach(batch::addLink);
        batch.startSpan().end(end);
    }

    /** Sends the remaining spans. */
    @Override
    public void close() {
        if (sdk != null) {
            sdk.close();
        }
    }
}
