package comments.observe;

import io.micrometer.core.instrument.Metrics;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Adds the number of comments that an exchange property holds to a counter of {@link PipelineMetrics}. A {@code micrometer:}
 * endpoint adds Camel's own tags, and creates its counter with the first comment, so that an alert on the counter's increase
 * misses that comment.
 *
 * <p>Any number of threads may call it.
 */
public class CountComments implements Processor {

    private String counter;
    private String property = "comments";

    /** The name of the counter, such as {@code comments.pushed}. */
    public void setCounter(String counter) {
        this.counter = counter;
    }

    /** The exchange property that holds the number. By default {@code comments}. */
    public void setProperty(String property) {
        this.property = property;
    }

    @Override
    public void process(Exchange exchange) {
        Metrics.globalRegistry.counter(counter).increment(exchange.getProperty(property, 0, Integer.class));
    }
}
