package comments.reader;

import comments.http.InvalidRequestException;
import comments.http.RequestHeaders;
import comments.model.CommentIds;
import comments.service.CommentParser;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.Message;

/**
 * What a GET asks for: its path, its query parameters, each at most once, and what the caller has already.
 *
 * <p>platform-http makes headers of the path's and the query's parameters, where they mix with each other and with the
 * caller's headers: nothing here is read from those, but from the headers that it makes itself and no caller can. Every method
 * that reads throws {@link InvalidRequestException}, a 400 that names what is wrong.
 */
public final class ReadRequest {

    /** The exchange property that holds it, until the answer is written. */
    public static final String PROPERTY = "readRequest";

    private static final int DEFAULT_LIMIT = 50;
    private static final int MAX_LIMIT = 1_000;
    private static final int MAX_PARAMETERS = 1_000;
    private static final Pattern IN_URL = Pattern.compile("[\\x21-\\x7e]*");

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
    public static ReadRequest of(Message message, Set<String> known) throws InvalidRequestException {
        Map<String, List<String>> parameters = parameters(message.getHeader(Exchange.HTTP_QUERY, String.class));
        Set<String> unknown = new TreeSet<>(parameters.keySet());
        unknown.removeAll(known);
        if (!unknown.isEmpty()) {
            throw InvalidRequestException.malformed("There is no query parameter %s here%s".formatted(
                    InvalidRequestException.shown(String.join(", ", unknown)),
                    known.isEmpty() ? "." : ", but there are: " + String.join(", ", new TreeSet<>(known)) + "."));
        }
        return new ReadRequest(message.getHeader(Exchange.HTTP_PATH, "", String.class), parameters,
                RequestHeaders.of(message, "If-None-Match"));
    }

    private static Map<String, List<String>> parameters(String query) throws InvalidRequestException {
        if (query != null && !IN_URL.matcher(query).matches()) {
            throw InvalidRequestException.malformed("The query is malformed: characters other than those of ASCII must be percent-encoded.");
        }
        try {
            Map<String, List<String>> parameters = new HashMap<>();
            // byte by byte, since it would put U+FFFD for what is not UTF-8
            for (Map.Entry<String, List<String>> bytes : new QueryStringDecoder(query == null ? "" : query,
                    StandardCharsets.ISO_8859_1, false, MAX_PARAMETERS, true).parameters().entrySet()) {
                List<String> values = new ArrayList<>();
                for (String value : bytes.getValue()) {
                    values.add(utf8(value));
                }
                parameters.put(utf8(bytes.getKey()), values);
            }
            return parameters;
        } catch (CharacterCodingException e) {
            throw InvalidRequestException.malformed("The query is malformed: what is percent-encoded must be UTF-8.");
        } catch (IllegalArgumentException e) {
            throw InvalidRequestException.malformed("The query is malformed: a percent sign is not followed by two hexadecimal digits.");
        }
    }

    private static String utf8(String bytes) throws CharacterCodingException {
        return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes.getBytes(StandardCharsets.ISO_8859_1))).toString();
    }

    /** The comment that the path names, as in {@code /comments/{id}} and {@code /comments/{id}/replies}. */
    UUID id() throws InvalidRequestException {
        String[] segments = path.split("/");
        String id = segments.length > 2 ? segments[2] : "";
        UUID uuid = CommentIds.parse(id);
        if (uuid == null) {
            throw InvalidRequestException.malformed("The id in the path must be a UUID, and is: " + InvalidRequestException.shown(id));
        }
        return uuid;
    }

    /** Whose comments are asked for: 1 to {@value CommentParser#MAX_NAME} characters, and never left out. */
    public String postId() throws InvalidRequestException {
        String postId = only("postId");
        int length = postId == null ? 0 : CommentParser.length(postId);
        if (length < 1 || length > CommentParser.MAX_NAME) {
            throw InvalidRequestException.malformed("The query parameter postId must be given, with 1 to " + CommentParser.MAX_NAME
                    + " characters, without U+0000 and halves of surrogate pairs.");
        }
        return postId;
    }

    /** How many comments a page may have: from 1 to {@value #MAX_LIMIT}, by default {@value #DEFAULT_LIMIT}. */
    int limit() throws InvalidRequestException {
        String limit = only("limit");
        if (limit == null) {
            return DEFAULT_LIMIT;
        }
        if (limit.matches("[0-9]{1,4}")) {
            int number = Integer.parseInt(limit);
            if (number >= 1 && number <= MAX_LIMIT) {
                return number;
            }
        }
        throw InvalidRequestException.malformed("The query parameter limit must be a whole number from 1 to " + MAX_LIMIT + ".");
    }

    /** Where the page begins: by default with the newest comment. */
    PageCursor before() throws InvalidRequestException {
        String before = only("before");
        if (before == null) {
            return PageCursor.START;
        }
        try {
            return PageCursor.parse(before);
        } catch (IllegalArgumentException e) {
            throw InvalidRequestException.malformed("The query parameter before must be as the link to the next page has it.");
        }
    }

    private String only(String name) throws InvalidRequestException {
        List<String> values = parameters.getOrDefault(name, List.of());
        if (values.size() > 1) {
            throw InvalidRequestException.malformed("The query parameter " + name + " must be given once.");
        }
        return values.isEmpty() ? null : values.get(0);
    }

    /** The path and query of the page that begins at a cursor. */
    String pathOfNext(String cursor) {
        return Stream.of("postId", "limit").filter(parameters::containsKey)
                .map(name -> name + "=" + URLEncoder.encode(parameters.get(name).get(0), StandardCharsets.UTF_8) + "&")
                .collect(Collectors.joining("", path + "?", "before=" + cursor));
    }

    /** Whether the query has a parameter. */
    public boolean has(String name) {
        return parameters.containsKey(name);
    }

    /** What the caller has already: the values of If-None-Match. */
    public List<String> ifNoneMatch() {
        return ifNoneMatch;
    }
}
