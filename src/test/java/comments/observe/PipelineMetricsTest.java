package comments.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.Test;

class PipelineMetricsTest {

    private static PipelineMetrics metrics(DefaultCamelContext context, AtomicLong waiting) {
        PipelineMetrics metrics = new PipelineMetrics();
        metrics.setCamelContext(context);
        PipelineMetrics.gauge("comments.waiting", "Requests that wait", waiting, AtomicLong::get);
        return metrics;
    }

    /** {@code camel run} makes each bean twice, closes the first, and names its context to the second once more. */
    @Test
    void theLastOfSeveralBeansIsShown() throws Exception {
        try (DefaultCamelContext context = new DefaultCamelContext()) {
            AtomicLong forgotten = new AtomicLong(3);
            AtomicLong used = new AtomicLong(7);
            PipelineMetrics first = metrics(context, forgotten);
            try (PipelineMetrics last = metrics(context, used)) {
                first.close();
                last.setCamelContext(context);
                String shown = ((PrometheusMeterRegistry) context.getRegistry().lookupByName("metricsRegistry")).scrape();
                assertThat(shown).contains("comments_waiting 7.0").doesNotContain("comments_waiting 3.0");
            }
        }
    }
}
