package comments.notification;

import comments.observe.PipelineMetrics;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Counts the comments of a push that those who listen live were told of. */
public class CountAnnouncement implements Processor {

    @Override
    public void process(Exchange exchange) {
        PipelineMetrics.announced(exchange.getProperty(DescribeNotification.COMMENTS, Integer.class));
    }
}
