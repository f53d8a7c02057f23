package comments.service;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import comments.http.ApiKeys;
import comments.http.InvalidRequestException;
import comments.http.RateLimiter;
import comments.http.RequestQuery;
import comments.model.Comment;
import comments.model.CommentIds;
import comments.observe.PipelineMetrics;
import comments.service.AcceptComment.Accepted;
import java.io.IOException;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;

/**
 * Turns the change of a comment into the body of a message: a JSON object with the comment's id, the kind of the change, the new
 * content of an edit, and the time when the change was accepted. The erasure of a user has an id of its own, and the user's. Of two changes that
 * one process accepts, the later one has the later time, in microseconds. All headers of the request are removed. The exchange property {@link AcceptComment#ACCEPTED} has the id.
 *
 * <p>Throws {@link InvalidRequestException} if the request breaks the contract. Whether there is such a comment is not known
 * here. Any number of threads may call it.
 */
public class AcceptChange implements Processor {

    /** What is done to a comment. */
    public enum Kind {
        /** Its content is replaced. */
        EDIT,
        /** Its content and its author are removed. */
        ERASE,
        /** So are those of all comments of a user. */
        ERASE_USER;

        // as messages name it
        private final String text = name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static final JsonFactory JSON = new JsonFactory();
    private static final DateTimeFormatter MICROS = new DateTimeFormatterBuilder().appendInstant(6).toFormatter();
    private static final AtomicLong LAST_MICROS = new AtomicLong();

    private ApiKeys apiKeys = new ApiKeys();
    private RateLimiter rateLimiter = new RateLimiter();
    private Kind kind = Kind.EDIT;

    /** The API keys with which a client may change comments. Without keys, no client may. */
    public void setApiKeys(ApiKeys apiKeys) {
        this.apiKeys = apiKeys;
    }

    /** The rate at which a client may post and change. By default there is no limit. */
    public void setRateLimiter(RateLimiter rateLimiter) {
        this.rateLimiter = rateLimiter;
    }

    /** What is done to the comment, or to all of a user. */
    public void setKind(Kind kind) {
        this.kind = kind;
    }

    @Override
    public void process(Exchange exchange) throws Exception {
        try {
            accept(exchange);
        } catch (InvalidRequestException e) {
            PipelineMetrics.refused(AcceptComment.refusal(e.status()));
            throw e;
        }
    }

    private void accept(Exchange exchange) throws Exception {
        Message message = exchange.getMessage();
        String client = apiKeys.require(message);
        RequestQuery query = RequestQuery.of(message, Set.of());
        String userId = kind == Kind.ERASE_USER ? Comment.userId(query) : null;
        UUID id = userId == null ? Comment.id(query) : CommentIds.next();
        String content = kind == Kind.EDIT ? AcceptComment.content(message) : null;
        rateLimiter.charge(client, message, 1);
        exchange.setProperty(AcceptComment.ACCEPTED, new Accepted(List.of(id), false));
        message.removeHeaders("*");
        message.setBody(json(id, userId, content));
    }

    private byte[] json(UUID id, String userId, String content) throws IOException {
        try (ByteArrayBuilder bytes = new ByteArrayBuilder(512)) {
            try (JsonGenerator json = JSON.createGenerator(bytes)) {
                json.writeStartObject();
                json.writeStringField("id", id.toString());
                json.writeStringField("kind", kind.text);
                if (userId != null) {
                    json.writeStringField("userId", userId);
                }
                if (content != null) {
                    json.writeStringField("content", content);
                }
                json.writeStringField("acceptedAt", MICROS.format(now()));
                json.writeEndObject();
            }
            return bytes.toByteArray();
        }
    }

    /** A time that is later than each one before. */
    static Instant now() {
        long micros = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
        return Instant.EPOCH.plus(LAST_MICROS.updateAndGet(last -> Math.max(last + 1, micros)), ChronoUnit.MICROS);
    }
}
