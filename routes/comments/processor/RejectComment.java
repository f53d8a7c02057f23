package comments.processor;

import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Takes the one comment that the database has just refused out of its batch. */
public class RejectComment implements Processor {

    /** The exchange property that holds the {@link BatchPart} which is being inserted. */
    public static final String PART = "part";

    @Override
    public void process(Exchange exchange) {
        exchange.getProperty(PART, BatchPart.class).reject(exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class));
    }
}
