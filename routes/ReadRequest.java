package comments;

import io.netty.handler.codec.http.QueryStringDecoder;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.platform.http.vertx.HttpMessage;

/**
 * What a GET asks for: its path, its query parameters, each at most once, and what the caller has already.
 *
 * <p>platform-http makes headers of the path's and the query's parameters, where they mix with each other and with the
 * caller's headers: nothing here is read from those. Every method that reads throws {@link InvalidRequest}, a 400 that names
 * what is wrong.
 */
final class ReadRequest {

    /** The exchange property that holds it, until the answer is written. */
    static final String PROPERTY = "readRequest";

    private static final int MAX_SHOWN = 64;

    private final String path;
    private final Map<String, List<String>> parameters;
    private final List<String> ifNoneMatch;

    private ReadRequest(String path, Map<String, List<String>> parameters, List<String> ifNoneMatch) {
        this.path = path;
        this.parameters = parameters;
        this.ifNoneMatch = ifNoneMatch;
    }

    /**
     * Reads a request.
     *
     * @param known the query parameters that it may have
     */
    static ReadRequest of(Message message, Set<String> known) throws InvalidRequest {
        boolean http = message instanceof HttpMessage;
        String path = http ? ((HttpMessage) message).getRequest().path() : message.getHeader(Exchange.HTTP_PATH, "", String.class);
        String query = http ? ((HttpMessage) message).getRequest().query() : message.getHeader(Exchange.HTTP_QUERY, String.class);
        Map<String, List<String>> parameters = parameters(query);
        Set<String> unknown = new TreeSet<>(parameters.keySet());
        unknown.removeAll(known);
        if (!unknown.isEmpty()) {
            throw InvalidRequest.malformed("There is no query parameter %s here%s".formatted(shown(String.join(", ", unknown)),
                    known.isEmpty() ? "." : ", but there are: " + String.join(", ", new TreeSet<>(known)) + "."));
        }
        return new ReadRequest(path, parameters, RequestHeaders.of(message, "If-None-Match"));
    }

    private static Map<String, List<String>> parameters(String query) throws InvalidRequest {
        try {
            return new QueryStringDecoder(query == null ? "" : query, false).parameters();
        } catch (IllegalArgumentException e) {
            throw InvalidRequest.malformed("The query is malformed: a percent sign is not followed by two hexadecimal digits.");
        }
    }

    /** The comment that the path names, as in {@code /comments/{id}} and {@code /comments/{id}/replies}. */
    UUID id() throws InvalidRequest {
        String[] segments = path.split("/");
        String id = segments.length > 2 ? segments[2] : "";
        try {
            UUID uuid = UUID.fromString(id);
            // UUID.fromString also takes short groups, such as 1-1-1-1-1
            if (uuid.toString().equalsIgnoreCase(id)) {
                return uuid;
            }
        } catch (IllegalArgumentException e) {
            // said below
        }
        throw InvalidRequest.malformed("The id in the path must be a UUID, and is: " + shown(id));
    }

    /** The post that the query names, or null. */
    String postId() throws InvalidRequest {
        List<String> ids = parameters.getOrDefault("postId", List.of());
        if (ids.isEmpty()) {
            return null;
        }
        if (ids.size() > 1 || ids.get(0).isEmpty() || ids.get(0).length() > 400 || ids.get(0).indexOf(0) >= 0) {
            throw InvalidRequest.malformed("The query parameter postId must be given once, with the id of a post.");
        }
        return ids.get(0);
    }

    /** What the caller has already: the values of If-None-Match. */
    List<String> ifNoneMatch() {
        return ifNoneMatch;
    }

    private static String shown(String text) {
        return text.length() <= MAX_SHOWN ? text : text.substring(0, MAX_SHOWN) + "…";
    }
}
