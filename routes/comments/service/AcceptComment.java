package comments.service;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import comments.http.ApiKeys;
import comments.http.ApiKeys.Scope;
import comments.http.InvalidRequestException;
import comments.http.InvalidRequestException.FieldError;
import comments.http.RateLimiter;
import comments.http.RequestHeaders;
import comments.model.Comment;
import comments.model.CommentIds;
import comments.observe.PipelineMetrics;
import comments.observe.PipelineMetrics.Refusal;
import comments.observe.Traces;
import comments.service.CommentParser.Comments;
import comments.service.CommentParser.Imported;
import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;

/**
 * Turns posted comments into the body of a message: JSON objects, separated by commas, each with its id and the time when it
 * was accepted. The JSON is written from the parsed comment, not copied. All headers of the request are removed. The header
 * {@link Comment#COUNT_HEADER} has the number of comments, the exchange property {@link #ACCEPTED} their ids.
 *
 * <p>Throws {@link InvalidRequestException} if the request breaks the contract; then no comment is accepted. Any number of
 * threads may call it.
 */
public class AcceptComment implements Processor {

    /** The exchange property that holds the {@link Accepted} comments. */
    public static final String ACCEPTED = "accepted";

    /** The ids of accepted comments, in the order of the body; {@code bulk} if the body was a list. */
    public record Accepted(List<UUID> ids, boolean bulk) {
    }

    private enum MediaType {
        JSON, NDJSON, OTHER
    }

    private static final JsonFactory JSON_FACTORY = new JsonFactoryBuilder().rootValueSeparator(",").build();
    private static final TextClock CLOCK = new TextClock();
    private static final Pattern IDEMPOTENCY_KEY = Pattern.compile("[\\x21-\\x7e]{1,255}");

    private ApiKeys apiKeys = new ApiKeys();
    private RateLimiter rateLimiter = new RateLimiter();
    private Traces traces;
    private int retentionDays;

    /** The traces that get a span for each request. */
    public void setTraces(Traces traces) {
        this.traces = traces.ifEnabled();
    }

    /** The API keys with which a client may post. By default none is needed. */
    public void setApiKeys(ApiKeys apiKeys) {
        this.apiKeys = apiKeys;
    }

    /** The rate at which a client may post. By default there is no limit. */
    public void setRateLimiter(RateLimiter rateLimiter) {
        this.rateLimiter = rateLimiter;
    }

    /** How long comments are kept, in days: imported ones that are older are refused. 0, the default: for ever. */
    public void setRetentionDays(int retentionDays) {
        this.retentionDays = retentionDays;
    }

    @Override
    public void process(Exchange exchange) throws Exception {
        try {
            accept(exchange);
        } catch (InvalidRequestException e) {
            PipelineMetrics.refused(refusal(e.status()));
            throw e;
        }
    }

    private void accept(Exchange exchange) throws Exception {
        Message message = exchange.getMessage();
        if (traces != null) {
            traces.begin(exchange, RequestHeaders.of(message, Traces.TRACEPARENT));
        }
        String client = apiKeys.require(message);
        MediaType mediaType = mediaType(message);
        if (mediaType == MediaType.OTHER) {
            throw InvalidRequestException.unsupportedMediaType(
                    "Content-Type must be application/json, or application/x-ndjson for a comment on each line.");
        }
        String key = idempotencyKey(message);
        byte[] body = body(message);
        Comments comments = mediaType == MediaType.JSON ? CommentParser.read(body) : CommentParser.readLines(body);
        if (!comments.imports().isEmpty()) {
            apiKeys.require(message, Scope.IMPORT);
            requireKept(comments);
        }
        rateLimiter.charge(client, message, comments.list().size());
        List<UUID> ids = ids(comments, client, key);
        exchange.setProperty(ACCEPTED, new Accepted(ids, comments.bulk()));
        message.removeHeaders("*");
        message.setHeader(Comment.COUNT_HEADER, ids.size());
        message.setBody(json(comments, ids, key != null));
    }

    // nothing is accepted that would be deleted at once
    private void requireKept(Comments comments) throws InvalidRequestException {
        if (retentionDays == 0) {
            return;
        }
        Instant oldest = Instant.now().minus(retentionDays, ChronoUnit.DAYS);
        List<FieldError> errors = new ArrayList<>();
        comments.imports().entrySet().stream().sorted(Map.Entry.comparingByKey()).forEach(imported -> {
            String acceptedAt = imported.getValue().acceptedAt();
            if (acceptedAt != null && Instant.parse(acceptedAt).isBefore(oldest) && errors.size() < CommentParser.MAX_ERRORS) {
                errors.add(new FieldError((comments.bulk() ? "#/" + imported.getKey() : "#") + "/acceptedAt",
                        "must not be more than %d days ago: comments are kept for so long".formatted(retentionDays)));
            }
        });
        if (!errors.isEmpty()) {
            throw InvalidRequestException.wrongFields(errors);
        }
    }

    static Refusal refusal(int status) {
        return switch (status) {
            case 400 -> Refusal.MALFORMED;
            case 401 -> Refusal.UNAUTHORIZED;
            case 403 -> Refusal.FORBIDDEN;
            case 415 -> Refusal.MEDIA_TYPE;
            case 429 -> Refusal.TOO_MANY;
            default -> Refusal.INVALID;
        };
    }

    /** The new content of an edit. */
    static String content(Message message) throws InvalidRequestException {
        if (mediaType(message) != MediaType.JSON) {
            throw InvalidRequestException.unsupportedMediaType("Content-Type must be application/json.");
        }
        return CommentParser.readContent(body(message));
    }

    private static byte[] body(Message message) {
        byte[] body = message.getBody(byte[].class);
        return body == null ? new byte[0] : body;
    }

    private static List<UUID> ids(Comments comments, String client, String key) {
        if (!comments.bulk()) {
            return List.of(id(comments, 0, client, key));
        }
        List<UUID> ids = new ArrayList<>(comments.list().size());
        for (int i = 0; i < comments.list().size(); i++) {
            // the index in the list distinguishes equal comments of one request
            ids.add(id(comments, i, client, key == null ? null : key + ' ' + i));
        }
        return ids;
    }

    private static UUID id(Comments comments, int index, String client, String key) {
        Imported imported = comments.imports().get(index);
        if (imported != null) {
            return imported.id();
        }
        return key == null ? CommentIds.next() : CommentIds.derive(client, key, comments.list().get(index));
    }

    private static byte[] json(Comments comments, List<UUID> ids, boolean derived) throws IOException {
        String now = CLOCK.now();
        try (ByteArrayBuilder bytes = new ByteArrayBuilder(512)) {
            try (JsonGenerator json = JSON_FACTORY.createGenerator(bytes)) {
                for (int i = 0; i < ids.size(); i++) {
                    Comment comment = comments.list().get(i);
                    Imported imported = comments.imports().get(i);
                    if (imported != null && imported.acceptedAt() != null) {
                        comment.writeImportedTo(json, ids.get(i), imported.acceptedAt());
                    } else {
                        comment.writeTo(json, ids.get(i), (derived || imported != null) && i > 0 ? later(now, i) : now);
                    }
                }
            }
            return bytes.toByteArray();
        }
    }

    // comments are read in the order of their times and ids, and derived and imported ids have no order: a list keeps its own by microseconds
    private static String later(String acceptedAt, int micros) {
        return "%s%03dZ".formatted(acceptedAt.substring(0, acceptedAt.length() - 1), micros);
    }

    private static MediaType mediaType(Message message) throws InvalidRequestException {
        if (!RequestHeaders.of(message, "Content-Encoding").isEmpty()) {
            throw InvalidRequestException.unsupportedMediaType("Content-Encoding is not supported: send the body as it is.");
        }
        List<String> types = RequestHeaders.of(message, "Content-Type");
        String type = types.size() == 1 ? types.get(0) : "";
        // what most clients send, without splitting it
        if (type.equals("application/json")) {
            return MediaType.JSON;
        }
        String[] parts = type.toLowerCase(Locale.ROOT).split(";", -1);
        for (int i = 1; i < parts.length; i++) {
            String parameter = parts[i].strip();
            // some clients say utf8
            if (parameter.startsWith("charset=") && !parameter.substring(8).replace("\"", "").matches("utf-?8")) {
                throw InvalidRequestException.unsupportedMediaType("The charset must be UTF-8, as it always is for JSON.");
            }
        }
        return switch (parts[0].strip()) {
            case "application/json" -> MediaType.JSON;
            case "application/x-ndjson" -> MediaType.NDJSON;
            default -> MediaType.OTHER;
        };
    }

    private static String idempotencyKey(Message message) throws InvalidRequestException {
        List<String> keys = RequestHeaders.of(message, "Idempotency-Key");
        if (keys.isEmpty()) {
            return null;
        }
        if (keys.size() > 1 || !IDEMPOTENCY_KEY.matcher(keys.get(0)).matches()) {
            throw InvalidRequestException.malformed(
                    "The header Idempotency-Key must be given once, with 1 to 255 visible ASCII characters.");
        }
        return keys.get(0);
    }
}
