package comments.stream;

import comments.http.SseClients;
import comments.rabbitmq.FanoutConnectionFactory;
import comments.stream.SelectSubscribed.Selection;
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
 * Sends the events of a {@link Selection} to the clients that subscribe to them. Leaves out the comments if they could not be
 * read. Returns when the events are written, or after {@value #MAX_SECONDS} s. So further batches wait in the queue of the
 * broker, which drops the oldest, and not in the memory of a busy process.
 */
public class Broadcast implements Processor {

    private static final Logger LOG = LoggerFactory.getLogger(Broadcast.class);
    private static final int MAX_SECONDS = 5;

    private SseClients clients;

    /** The clients of the stream. */
    public void setClients(SseClients clients) {
        this.clients = clients;
    }

    /**
     * The connection on which pushes arrive. When it is made, all clients are disconnected, so that they reconnect and get what
     * they missed. Set after the clients.
     */
    public void setConnections(FanoutConnectionFactory connections) {
        connections.whenListening(() -> clients.endAll("resume"));
    }

    @Override
    @SuppressWarnings("unchecked")
    public void process(Exchange exchange) throws InterruptedException, ExecutionException {
        Selection selection = exchange.getProperty(SelectSubscribed.PROPERTY, Selection.class);
        boolean failed = exchange.getProperty(Exchange.EXCEPTION_CAUGHT) != null;
        List<Map<String, Object>> rows = failed ? List.of() : exchange.getMessage().getBody(List.class);
        rows.forEach(row -> clients.advance(SelectSubscribed.id(row)));
        Map<String, String> events = selection.events(rows);
        try {
            clients.send(events).get(MAX_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            LOG.warn("The stream is late: the HTTP server was busy for {} s", MAX_SECONDS);
        }
    }
}
