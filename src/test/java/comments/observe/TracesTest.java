package comments.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import comments.EmbeddedBroker;
import comments.support.TestPipeline;
import comments.support.TestServers;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import io.opentelemetry.sdk.autoconfigure.spi.traces.ConfigurableSpanExporterProvider;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.DefaultMessage;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** With {@code OBSERVE_TRACES=true}, a batch is linked to the requests that its comments came with. */
class TracesTest {

    private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
    private static final String CALLER = "00f067aa0ba902b7";
    private static final Duration SECONDS = Duration.ofSeconds(20);
    private static final Map<String, String> SETTINGS =
            Map.of("otel.traces.exporter", "memory", "otel.bsp.schedule.delay", "50");
    private static final List<SpanData> SPANS = new CopyOnWriteArrayList<>();

    private static EmbeddedBroker broker;
    private static Connection connection;
    private static Channel channel;
    private static String database;

    /** Found by OpenTelemetry by its name. */
    public static final class Memory implements ConfigurableSpanExporterProvider {

        @Override
        public SpanExporter createExporter(ConfigProperties config) {
            return new SpanExporter() {
                @Override
                public CompletableResultCode export(Collection<SpanData> spans) {
                    SPANS.addAll(spans);
                    return CompletableResultCode.ofSuccess();
                }

                @Override
                public CompletableResultCode flush() {
                    return CompletableResultCode.ofSuccess();
                }

                @Override
                public CompletableResultCode shutdown() {
                    return CompletableResultCode.ofSuccess();
                }
            };
        }

        @Override
        public String getName() {
            return "memory";
        }
    }

    @BeforeAll
    static void start() throws Exception {
        SETTINGS.forEach(System::setProperty);
        broker = EmbeddedBroker.startInMemory();
        database = TestServers.newDatabase();
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(broker.uri());
        connection = factory.newConnection();
        channel = connection.createChannel();
    }

    @AfterAll
    static void stop() throws Exception {
        connection.close();
        broker.close();
        SETTINGS.keySet().forEach(System::clearProperty);
    }

    @BeforeEach
    void forget() throws Exception {
        SPANS.clear();
        channel.queueDeclare("comments", true, false, false, null);
        channel.queuePurge("comments");
    }

    private static TestPipeline pipeline(String traces, String roles) throws Exception {
        return TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", database, "POSTGRES_USER", "postgres",
                "OBSERVE_TRACES", traces, "COMMENTS_ROLES", roles));
    }

    private static TestPipeline pipeline() throws Exception {
        return pipeline("true", "comment-service,comment-job-processor");
    }

    private static void post(TestPipeline pipeline, String... headers) throws Exception {
        assertThat(pipeline.post("/comments", TestPipeline.COMMENT, headers).statusCode()).isEqualTo(202);
    }

    private static List<SpanData> spans(SpanKind kind) {
        return SPANS.stream().filter(span -> span.getKind() == kind).toList();
    }

    private static SpanData await(SpanKind kind) {
        Awaitility.await().atMost(SECONDS).until(() -> spans(kind).size() == 1);
        return spans(kind).get(0);
    }

    @Test
    void aBatchIsLinkedToTheRequestWhichIsInTheTraceOfItsCaller() throws Exception {
        try (TestPipeline pipeline = pipeline()) {
            post(pipeline, "traceparent", "00-%s-%s-01".formatted(TRACE, CALLER), "tracestate", "vendor=text-of-the-caller");
            SpanData request = await(SpanKind.SERVER);
            SpanData batch = await(SpanKind.CONSUMER);
            assertThat(request.getTraceId()).isEqualTo(TRACE);
            assertThat(request.getParentSpanId()).isEqualTo(CALLER);
            assertThat(request.getAttributes().asMap().toString()).contains("http.response.status_code=202");
            assertThat(batch.getLinks()).extracting(LinkData::getSpanContext)
                    .extracting(SpanContext::getTraceId, SpanContext::getSpanId).containsExactly(tuple(TRACE, request.getSpanId()));
            assertThat(batch.getTraceId()).isNotEqualTo(TRACE);
            assertThat(batch.getEndEpochNanos()).isGreaterThan(batch.getStartEpochNanos());
        }
    }

    @Test
    void aRequestWithoutATraceOrWithAWrongOneBeginsItsOwn() throws Exception {
        try (TestPipeline pipeline = pipeline()) {
            post(pipeline);
            post(pipeline, "traceparent", "00-" + TRACE.toUpperCase() + "-" + CALLER + "-01");
            post(pipeline, "traceparent", "00-%s-%s-01".formatted(TRACE, CALLER), "traceparent", "again");
            Awaitility.await().atMost(SECONDS).until(() -> spans(SpanKind.SERVER).size() == 3);
            assertThat(spans(SpanKind.SERVER)).allSatisfy(request -> {
                assertThat(request.getTraceId()).isNotEqualTo(TRACE);
                assertThat(request.getParentSpanContext().isValid()).isFalse();
            });
        }
    }

    @Test
    void whatTheCallerDoesNotWantSampledIsNotFollowed() throws Exception {
        try (TestPipeline pipeline = pipeline("true", "comment-service")) {
            post(pipeline, "traceparent", "00-%s-%s-00".formatted(TRACE, CALLER));
            assertThat(channel.basicGet("comments", true).getProps().getHeaders()).isEqualTo(Map.of("commentCount", 1));
        }
        assertThat(SPANS).isEmpty();
    }

    @Test
    void aRefusedRequestIsASpanToo() throws Exception {
        try (TestPipeline pipeline = pipeline()) {
            assertThat(pipeline.post("/comments", "{}").statusCode()).isEqualTo(422);
            assertThat(await(SpanKind.SERVER).getAttributes().asMap().toString()).contains("http.response.status_code=422");
        }
    }

    @Test
    void aMessageCarriesABoundedNumberOfOurOwnIdsAndNothingOfTheCallers() throws Exception {
        try (TestPipeline pipeline = pipeline("true", "comment-service")) {
            ExecutorService callers = Executors.newFixedThreadPool(64);
            for (int i = 0; i < 400; i++) {
                callers.submit(() -> pipeline.post("/comments", TestPipeline.COMMENT,
                        "traceparent", "00-%s-%s-01".formatted(TRACE, CALLER), "tracestate", "a=text", "baggage", "b=text",
                        "spans", "text"));
            }
            callers.shutdown();
            assertThat(callers.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
            int sum = 0;
            while (channel.messageCount("comments") > 0) {
                GetResponse message = channel.basicGet("comments", true);
                assertThat(message.getProps().getHeaders()).containsOnlyKeys("commentCount", Traces.SPANS);
                String ids = message.getProps().getHeaders().get(Traces.SPANS).toString();
                assertThat(ids).matches("%s-[0-9a-f]{16}(,%1$s-[0-9a-f]{16})*".formatted(TRACE)).doesNotContain(CALLER);
                int comments = (int) message.getProps().getHeaders().get("commentCount");
                assertThat(ids.split(",")).hasSize(Math.min(comments, Traces.MAX_SPANS));
                sum += comments;
            }
            assertThat(sum).isEqualTo(400);
        }
    }

    @Test
    void ofALargeGroupSomeRequestsAreFollowed() throws Exception {
        try (Traces traces = new Traces(); DefaultCamelContext context = new DefaultCamelContext()) {
            traces.setEnabled(true);
            List<Exchange> requests = new ArrayList<>();
            for (int i = 0; i < 1_000; i++) {
                requests.add(new DefaultExchange(context));
                traces.begin(requests.get(i), List.of());
            }
            Message message = new DefaultMessage(context);
            traces.carry(requests, message);
            List<SpanContext> links = new ArrayList<>();
            Traces.gather(message, links);
            assertThat(links).hasSize(Traces.MAX_SPANS).doesNotHaveDuplicates().allMatch(SpanContext::isSampled);
            for (int i = 0; i < 10; i++) {
                Traces.gather(message, links);
            }
            assertThat(links).as("of a batch").hasSize(128);
        }
    }

    @Test
    void idsThatSomebodyElseMadeUpAreNoLinks() throws Exception {
        try (TestPipeline pipeline = pipeline("true", "comment-job-processor")) {
            for (Object forged : List.of("", "text", TRACE, 7, "0".repeat(32) + "-" + CALLER,
                    ("x" + TRACE + "-").repeat(1_000))) {
                BasicProperties properties = new BasicProperties.Builder().headers(Map.of(Traces.SPANS, forged)).build();
                channel.basicPublish("", "comments", properties, TestPipeline.COMMENT.getBytes(StandardCharsets.UTF_8));
            }
            Awaitility.await().atMost(SECONDS).until(() -> pipeline.observe("metrics")
                    .contains("comments_unsettled 0") && channel.messageCount("comments") == 0);
        }
        assertThat(SPANS).isEmpty();
    }

    @Test
    void nothingIsFollowedByDefault() throws Exception {
        try (TestPipeline pipeline = pipeline("false", "comment-service")) {
            post(pipeline, "traceparent", "00-%s-%s-01".formatted(TRACE, CALLER));
            assertThat(channel.basicGet("comments", true).getProps().getHeaders()).isEqualTo(Map.of("commentCount", 1));
        }
        assertThat(SPANS).isEmpty();
    }
}
