package comments.notification;

import comments.observe.PipelineMetrics;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Counts the comments of a notification that was pushed. */
public class CountPush implements Processor {

    @Override
    public void process(Exchange exchange) {
        PipelineMetrics.pushed(exchange.getProperty(DescribeNotification.COMMENTS, Integer.class));
    }
}
