package comments.stream;

import comments.http.SseClients;
import io.vertx.core.buffer.Buffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends what was read from the database to those who listen for it, or no more than how much it was if nothing could be read.
 * Returns when it is sent, or after {@value #MOST_SECONDS} s: so that no more than that waits for an event loop that is busy, but
 * in the broker's queue, which drops the oldest.
 */
public class Broadcast implements Processor {

    private static final Logger LOG = LoggerFactory.getLogger(Broadcast.class);
    private static final int MOST_SECONDS = 5;

    private SseClients listeners;

    /** Those who listen. */
    public void setListeners(SseClients listeners) {
        this.listeners = listeners;
    }

    @Override
    @SuppressWarnings("unchecked")
    public void process(Exchange exchange) throws InterruptedException, ExecutionException {
        HeardComments heard = exchange.getProperty(HeardComments.PROPERTY, HeardComments.class);
        boolean failed = exchange.getProperty(Exchange.EXCEPTION_CAUGHT) != null;
        Map<String, Buffer> events = heard.events(failed ? List.of() : exchange.getMessage().getBody(List.class));
        try {
            listeners.tell(events).get(MOST_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            LOG.warn("Those who listen are told late: the HTTP server was busy for {} s", MOST_SECONDS);
        }
    }
}
