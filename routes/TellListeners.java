package comments;

import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Sends what was read from the database to those who listen for it, or no more than how much it was if nothing could be read.
 * Returns before it is sent.
 */
public class TellListeners implements Processor {

    private Listeners listeners;

    /** Those who listen. */
    public void setListeners(Listeners listeners) {
        this.listeners = listeners;
    }

    @Override
    @SuppressWarnings("unchecked")
    public void process(Exchange exchange) {
        HeardComments heard = exchange.getProperty(HeardComments.PROPERTY, HeardComments.class);
        boolean failed = exchange.getProperty(Exchange.EXCEPTION_CAUGHT) != null;
        listeners.tell(heard.events(failed ? List.of() : exchange.getMessage().getBody(List.class)));
    }
}
