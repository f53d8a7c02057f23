package comments.processor;

import comments.observe.PipelineMetrics;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Shows in the metrics what the one row of begin-user-erasures.sql says. All processes of comment-changes read the same row. One thread calls it.
 */
public class NoteUserErasures implements Processor {

    private record Erasures(double running, double ageSeconds, double progress) {
    }

    private volatile Erasures erasures = new Erasures(0, 0, 0);

    /** Registers the gauges. */
    public NoteUserErasures() {
        PipelineMetrics.gauge("comments.erasures.running", "Users whose comments are being searched, to be erased", this, noted -> noted.erasures.running());
        PipelineMetrics.gauge("comments.erasures.age.seconds", "How long the first of them has been waiting", this, noted -> noted.erasures.ageSeconds());
        PipelineMetrics.gauge("comments.erasures.progress", "How much of the table is searched, from 0 to 1", this, noted -> noted.erasures.progress());
    }

    @Override
    @SuppressWarnings("unchecked")
    public void process(Exchange exchange) {
        Map<String, Number> row = (Map<String, Number>) exchange.getMessage().getBody(List.class).get(0);
        erasures = new Erasures(row.get("running").doubleValue(), row.get("age").doubleValue(), row.get("progress").doubleValue());
    }
}
