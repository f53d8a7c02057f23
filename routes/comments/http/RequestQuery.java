package comments.http;

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
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.Message;

/**
 * The path and the query parameters of a request.
 *
 * <p>platform-http makes headers of path and query parameters, where they mix with each other and with the headers of the
 * request. This class reads only headers that platform-http sets and no client can. Each method that reads throws
 * {@link InvalidRequestException}, a 400 that names what is wrong.
 */
public final class RequestQuery {

    private static final int MAX_PARAMETERS = 1_000;
    private static final Pattern IN_URL = Pattern.compile("[\\x21-\\x7e]*");
    private static final Pattern IN_PATH = Pattern.compile("[\\x21-\\x7e&&[^?#]]*");

    private final String path;
    private final Map<String, List<String>> parameters;

    private RequestQuery(String path, Map<String, List<String>> parameters) {
        this.path = path;
        this.parameters = parameters;
    }

    /**
     * Reads a request.
     *
     * @param allowed the query parameters that it may have
     */
    public static RequestQuery of(Message message, Set<String> allowed) throws InvalidRequestException {
        Map<String, List<String>> parameters = parameters(message.getHeader(Exchange.HTTP_QUERY, String.class));
        Set<String> unknown = new TreeSet<>(parameters.keySet());
        unknown.removeAll(allowed);
        if (!unknown.isEmpty()) {
            throw InvalidRequestException.malformed("Unknown query parameter: %s.%s".formatted(
                    InvalidRequestException.shown(String.join(", ", unknown)),
                    allowed.isEmpty() ? "" : " Allowed: " + String.join(", ", new TreeSet<>(allowed)) + "."));
        }
        String path = message.getHeader(Exchange.HTTP_PATH, String.class);
        return new RequestQuery(path == null ? "" : path, parameters);
    }

    private static Map<String, List<String>> parameters(String query) throws InvalidRequestException {
        if (query != null && !IN_URL.matcher(query).matches()) {
            throw InvalidRequestException.malformed(
                    "The query is malformed: non-ASCII characters must be percent-encoded.");
        }
        try {
            Map<String, List<String>> parameters = new HashMap<>();
            // decodes to bytes first, because the decoder replaces invalid UTF-8 by U+FFFD
            for (Map.Entry<String, List<String>> bytes : new QueryStringDecoder(query == null ? "" : query,
                    StandardCharsets.ISO_8859_1, false, MAX_PARAMETERS, true).parameters().entrySet()) {
                List<String> values = new ArrayList<>();
                for (String value : bytes.getValue()) {
                    values.add(utf8(value));
                }
                parameters.put(utf8(bytes.getKey()), values);
            }
            return parameters;
        } catch (CharacterCodingException | IllegalArgumentException e) {
            throw undecodable("query", e);
        }
    }

    // IllegalArgumentException is what the decoder throws
    private static InvalidRequestException undecodable(String part, Exception reason) {
        return InvalidRequestException.malformed("The %s is malformed: %s.".formatted(part, reason instanceof CharacterCodingException
                ? "percent-encoded characters must be UTF-8" : "a percent sign is not followed by two hexadecimal digits"));
    }

    private static String utf8(String bytes) throws CharacterCodingException {
        return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes.getBytes(StandardCharsets.ISO_8859_1))).toString();
    }

    /** A segment of the path, counted from 1, as in {@code /1/2/3}; "" if there are fewer. */
    public String segment(int number) {
        String[] segments = path.split("/");
        return segments.length > number ? segments[number] : "";
    }

    /** Like {@link #segment}, percent-decoded. A plus sign is itself. */
    public String decodedSegment(int number) throws InvalidRequestException {
        String segment = segment(number);
        if (!IN_PATH.matcher(segment).matches()) {
            throw InvalidRequestException.malformed("The path is malformed: a number sign and non-ASCII characters must be percent-encoded.");
        }
        try {
            return utf8(new QueryStringDecoder(segment, StandardCharsets.ISO_8859_1, true).path());
        } catch (CharacterCodingException | IllegalArgumentException e) {
            throw undecodable("path", e);
        }
    }

    /** Whether the query has a parameter. */
    public boolean has(String name) {
        return parameters.containsKey(name);
    }

    /** All values of a parameter, in the order of the query. */
    public List<String> values(String name) {
        return parameters.getOrDefault(name, List.of());
    }

    /** The value of a parameter that may be given once, or null. */
    public String value(String name) throws InvalidRequestException {
        List<String> values = values(name);
        if (values.size() > 1) {
            throw InvalidRequestException.malformed("The query parameter " + name + " must be given once.");
        }
        return values.isEmpty() ? null : values.get(0);
    }

    /** The path with some of its parameters and one more. */
    public String with(Stream<String> kept, String name, String value) {
        return kept.filter(parameters::containsKey)
                .map(each -> each + "=" + URLEncoder.encode(parameters.get(each).get(0), StandardCharsets.UTF_8) + "&")
                .collect(Collectors.joining("", path + "?", name + "=" + value));
    }
}
