package comments;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.regex.Pattern;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.component.platform.http.vertx.HttpMessage;

/**
 * Turns a posted comment into what a message carries: a JSON object with its id and the time it was accepted, written anew
 * from what was read. The id is left in the exchange property {@link #COMMENT_ID}.
 *
 * <p>Throws {@link InvalidRequest} for what the contract refuses. Any number of threads may call it.
 */
public class AcceptComment implements Processor {

    /** The exchange property that holds the id, a {@link UUID}, of the comment. */
    public static final String COMMENT_ID = "commentId";

    private static final JsonFactory JSON = new JsonFactory();
    private static final TextClock CLOCK = new TextClock();
    private static final Pattern IDEMPOTENCY_KEY = Pattern.compile("[\\x21-\\x7e]{1,255}");

    @Override
    public void process(Exchange exchange) throws Exception {
        Message message = exchange.getMessage();
        requireJson(message);
        String key = idempotencyKey(message);
        Comment comment = CommentReader.read(body(message));
        UUID id = key == null ? CommentIds.next() : CommentIds.derive("", key, comment);
        exchange.setProperty(COMMENT_ID, id);
        message.setBody(json(comment, id));
    }

    private static byte[] body(Message message) {
        byte[] body = message.getBody(byte[].class);
        return body == null ? new byte[0] : body;
    }

    private static byte[] json(Comment comment, UUID id) throws IOException {
        try (ByteArrayBuilder bytes = new ByteArrayBuilder(512)) {
            try (JsonGenerator json = JSON.createGenerator(bytes)) {
                comment.writeTo(json, id, CLOCK.now());
            }
            return bytes.toByteArray();
        }
    }

    private static void requireJson(Message message) throws InvalidRequest {
        List<String> types = header(message, "Content-Type");
        if (types.size() != 1 || !isJson(types.get(0))) {
            throw InvalidRequest.unsupportedMediaType("Content-Type must be application/json, in UTF-8.");
        }
        if (!header(message, "Content-Encoding").isEmpty()) {
            throw InvalidRequest.unsupportedMediaType("Content-Encoding is not supported: send the body as it is.");
        }
    }

    private static boolean isJson(String contentType) {
        String[] parts = contentType.toLowerCase(Locale.ROOT).split(";");
        if (!parts[0].strip().equals("application/json")) {
            return false;
        }
        for (int i = 1; i < parts.length; i++) {
            String parameter = parts[i].strip();
            if (parameter.startsWith("charset=") && !parameter.substring(8).replace("\"", "").equals("utf-8")) {
                return false;
            }
        }
        return true;
    }

    private static String idempotencyKey(Message message) throws InvalidRequest {
        List<String> keys = header(message, "Idempotency-Key");
        if (keys.isEmpty()) {
            return null;
        }
        if (keys.size() > 1 || !IDEMPOTENCY_KEY.matcher(keys.get(0)).matches()) {
            throw InvalidRequest.malformed(
                    "The header Idempotency-Key must be given once, with 1 to 255 visible ASCII characters.");
        }
        return keys.get(0);
    }

    // platform-http also makes headers of query parameters: the request itself tells them apart.
    private static List<String> header(Message message, String name) {
        if (message instanceof HttpMessage http) {
            return http.getRequest().headers().getAll(name);
        }
        Object value = message.getHeader(name);
        if (value instanceof Collection<?> values) {
            return values.stream().map(String::valueOf).toList();
        }
        return value == null ? List.of() : List.of(value.toString());
    }
}
