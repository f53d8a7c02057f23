package comments.processor;

import comments.observe.PipelineMetrics;
import comments.observe.Traces;
import java.time.Duration;
import java.time.Instant;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Counts a batch that is committed, and how long its messages took from the edge to here. */
public class CountBatch implements Processor {

    // other producers may write the year 1 or 9999 where they have no time, which a number of nanoseconds can't say
    private static final Duration LONGEST = Duration.ofDays(366);

    private Traces traces;

    /** What follows the comments, if anything does. */
    public void setTraces(Traces traces) {
        this.traces = traces.ifEnabled();
    }

    @Override
    public void process(Exchange exchange) {
        CommentBatch batch = exchange.getProperty(CommentBatch.PROPERTY, CommentBatch.class);
        long nanos = System.nanoTime() - batch.insertStartedNanos();
        PipelineMetrics.inserted(batch.comments(), nanos);
        if (traces != null) {
            traces.written(batch.requests(), batch.comments(), nanos);
        }
        Instant now = Instant.now();
        for (Instant acceptedAt : batch.acceptedAt()) {
            Duration took = Duration.between(acceptedAt, now);
            if (took.abs().compareTo(LONGEST) < 0) {
                PipelineMetrics.committed(took);
            }
        }
    }
}
