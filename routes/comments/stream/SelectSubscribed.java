package comments.stream;

import comments.http.SseClients;
import java.io.IOException;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Picks from a notification, a JSON array of comments, what somebody listens for: see {@link HeardComments}. Throws what
 * {@code NotificationReader} throws.
 */
public class SelectSubscribed implements Processor {

    private SseClients listeners;

    /** Those who listen. */
    public void setListeners(SseClients listeners) {
        this.listeners = listeners;
    }

    @Override
    public void process(Exchange exchange) throws IOException {
        exchange.setProperty(HeardComments.PROPERTY,
                HeardComments.of(exchange.getMessage().getBody(byte[].class), listeners.posts()));
    }
}
