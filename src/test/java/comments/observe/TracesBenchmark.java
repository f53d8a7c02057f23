package comments.observe;

import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import io.opentelemetry.sdk.autoconfigure.spi.traces.ConfigurableSpanExporterProvider;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.spi.Synchronization;
import org.apache.camel.support.DefaultExchange;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a request costs that is followed, without sending its span anywhere. Run it with
 * {@code mvn test-compile exec:exec -Dexec.executable=java -Dexec.args="-cp %classpath org.openjdk.jmh.Main Traces"}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 4, time = 2)
@Measurement(iterations = 5, time = 2)
public class TracesBenchmark {

    /** Which of the requests are sampled. */
    @Param({"1.0", "0.01"})
    private String ratio;

    private final DefaultCamelContext context = new DefaultCamelContext();
    private final Traces traces = new Traces();

    /** Takes spans, and forgets them. */
    public static final class Nowhere implements ConfigurableSpanExporterProvider {

        @Override
        public String getName() {
            return "nowhere";
        }

        @Override
        public SpanExporter createExporter(ConfigProperties config) {
            return SpanExporter.composite();
        }
    }

    @Setup
    public void prepare() {
        System.setProperty("otel.traces.exporter", "nowhere");
        System.setProperty("otel.traces.sampler", "parentbased_traceidratio");
        System.setProperty("otel.traces.sampler.arg", ratio);
        traces.setEnabled(true);
    }

    @TearDown
    public void close() {
        traces.close();
    }

    private Exchange exchange() {
        return new DefaultExchange(context);
    }

    /** What is not measured. */
    @Benchmark
    public Object nothing() {
        return exchange();
    }

    /** From the request to its answer. */
    @Benchmark
    public Object request() {
        Exchange exchange = exchange();
        traces.begin(exchange, List.of());
        traces.carry(List.of(exchange), exchange.getMessage());
        for (Synchronization completion : exchange.getExchangeExtension().handoverCompletions()) {
            completion.onComplete(exchange);
        }
        return exchange;
    }
}
