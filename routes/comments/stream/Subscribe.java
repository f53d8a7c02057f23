package comments.stream;

import comments.http.ApiKeys;
import comments.http.InvalidRequestException;
import comments.http.RequestHeaders;
import comments.http.RequestQuery;
import comments.http.SseClient;
import comments.http.SseClients;
import comments.model.Comment;
import comments.observe.PipelineMetrics;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
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
 * Adds the client of {@code GET /comments/stream} to the stream. If the client resumes, with Last-Event-ID, the message gets
 * the parameters of select-missed.sql. All headers of the request are removed.
 *
 * <p>All ids are times of the database's clock. The clock of this process may differ, so it is not used.
 *
 * <p>It runs on the event loop. Throws {@link InvalidRequestException} if the request breaks the contract, and
 * {@link RejectedExecutionException} if the limit of clients is reached.
 */
public class Subscribe implements Processor {

    /** The exchange property that holds the {@link SseClient}. */
    static final String CLIENT = "client";
    /** The exchange property that holds the id with which the client resumes, a Long, if it does. */
    static final String RESUMES = "resumes";
    /** The largest number of missed comments and changes that a client gets. */
    static final int MAX_MISSED = 100;

    // batches become visible out of the order of their times, which are those when their transactions began: a statement may take
    // a minute
    private static final Duration OVERLAP = Duration.ofSeconds(70);
    // microseconds since 1970
    private static final Pattern EVENT_ID = Pattern.compile("[0-9]{1,17}");

    private ApiKeys apiKeys = new ApiKeys();
    private SseClients clients;

    /** The API keys with which a client may subscribe. By default none is needed. */
    public void setApiKeys(ApiKeys apiKeys) {
        this.apiKeys = apiKeys;
    }

    /** The clients of the stream. */
    public void setClients(SseClients clients) {
        this.clients = clients;
        PipelineMetrics.gauge("comments.listeners", "Clients of GET /comments/stream", clients, SseClients::count);
    }

    @Override
    public void process(Exchange exchange) throws Exception {
        Message message = exchange.getMessage();
        apiKeys.require(message);
        RequestQuery query = RequestQuery.of(message, Set.of("postId", "lastEventId"));
        String post = query.has("postId") ? Comment.postId(query) : null;
        Long since = since(message, query);
        SseClient client = clients.add(message, post == null ? SseClients.ALL : post);
        exchange.setProperty(CLIENT, client);
        exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
            @Override
            public void onDone(Exchange done) {
                client.giveUp();
            }
        });
        message.removeHeaders("*");
        if (post != null && since != null) {
            exchange.setProperty(RESUMES, since);
            if (since == SseClients.UNKNOWN_ID) {
                return;
            }
            Instant written = Instant.EPOCH.plus(since, ChronoUnit.MICROS).minus(OVERLAP);
            message.setHeader(JdbcConstants.JDBC_PARAMETERS,
                    Map.of("postId", post, "since", written.atOffset(ZoneOffset.UTC), "limit", MAX_MISSED + 1));
        }
    }

    // polyfills of EventSource can't send the header, and send a query parameter
    private static Long since(Message message, RequestQuery query) throws InvalidRequestException {
        List<String> ids = RequestHeaders.of(message, "Last-Event-ID");
        if (ids.isEmpty() && query.has("lastEventId")) {
            ids = List.of(query.value("lastEventId"));
        }
        if (ids.isEmpty() || ids.equals(List.of(""))) {
            return null;
        }
        if (ids.size() > 1 || !EVENT_ID.matcher(ids.get(0)).matches()) {
            throw InvalidRequestException.malformed("Last-Event-ID must be the id of an event of this stream.");
        }
        return Long.valueOf(ids.get(0));
    }
}
