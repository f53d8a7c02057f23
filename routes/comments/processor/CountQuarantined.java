package comments.processor;

import comments.observe.PipelineMetrics;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Counts the comments of a batch that are in quarantine now. */
public class CountQuarantined implements Processor {

    @Override
    public void process(Exchange exchange) {
        CommentBatch batch = exchange.getProperty(CommentBatch.PROPERTY, CommentBatch.class);
        PipelineMetrics.quarantined(batch.rejected().size());
    }
}
