package comments.stream;

import comments.http.Callers;
import comments.http.EventLoopMessage;
import comments.http.InvalidRequestException;
import comments.http.RequestHeaders;
import comments.http.SseClient;
import comments.http.SseClients;
import comments.reader.ReadRequest;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.regex.Pattern;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.component.jdbc.JdbcConstants;
import org.apache.camel.support.SynchronizationAdapter;

/**
 * Adds the caller of {@code GET /comments/stream} to those who listen. If he comes back, with Last-Event-ID, the parameters of
 * select-missed.sql are in the message. All headers of the request are removed.
 *
 * <p>It runs on the event loop. Throws {@link InvalidRequestException} for what the contract refuses, and
 * {@link RejectedExecutionException} if there is no room for one more.
 */
public class Subscribe implements Processor {

    /** The exchange property that holds the listener. */
    static final String LISTENER = "listener";
    /** The exchange property that is there if he comes back, and what he missed is read. */
    static final String COMES_BACK = "comesBack";
    /** How many of the comments that somebody missed he is told. */
    static final int MOST_MISSED = 100;

    // batches that are written at once may be seen in another order than that of their times
    private static final Duration OVERLAP = Duration.ofSeconds(10);
    // microseconds since 1970
    private static final Pattern EVENT_ID = Pattern.compile("[0-9]{1,17}");

    private Callers callers = new Callers();
    private SseClients listeners;

    /** Who may listen. By default everybody. */
    public void setCallers(Callers callers) {
        this.callers = callers;
    }

    /** Those who listen. */
    public void setListeners(SseClients listeners) {
        this.listeners = listeners;
    }

    @Override
    public void process(Exchange exchange) throws Exception {
        Message message = exchange.getMessage();
        callers.identify(message);
        ReadRequest request = ReadRequest.of(message, Set.of("postId"));
        String post = request.has("postId") ? request.postId() : null;
        Long since = since(message);
        SseClient listener = listeners.add(exchange.getMessage(EventLoopMessage.class).getRequest(),
                post == null ? SseClients.ALL : post);
        if (listener == null) {
            throw new RejectedExecutionException("as many listen as may");
        }
        exchange.setProperty(LISTENER, listener);
        exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
            @Override
            public void onDone(Exchange done) {
                listener.giveUp();
            }
        });
        message.removeHeaders("*");
        if (post != null && since != null) {
            Instant written = Instant.EPOCH.plus(since, ChronoUnit.MICROS).minus(OVERLAP);
            exchange.setProperty(COMES_BACK, true);
            message.setHeader(JdbcConstants.JDBC_PARAMETERS,
                    Map.of("postId", post, "since", written.toString(), "limit", MOST_MISSED + 1));
        }
    }

    private static Long since(Message message) throws InvalidRequestException {
        List<String> ids = RequestHeaders.of(message, "Last-Event-ID");
        if (ids.isEmpty() || ids.equals(List.of(""))) {
            return null;
        }
        if (ids.size() > 1 || !EVENT_ID.matcher(ids.get(0)).matches()) {
            throw InvalidRequestException.malformed("The header Last-Event-ID must be the id of an event of this stream.");
        }
        return Long.valueOf(ids.get(0));
    }
}
