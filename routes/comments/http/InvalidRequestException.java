package comments.http;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

/**
 * The request is invalid. The answer is a 4xx, and its comments are never published.
 *
 * <p>A client can cause it at any rate, so it has no stack trace.
 */
public class InvalidRequestException extends Exception {

    private static final long serialVersionUID = 1L;

    /** What is wrong with one field. {@code pointer} is an RFC 6901 JSON pointer as a URI fragment. */
    public record FieldError(String pointer, String detail) implements java.io.Serializable {
    }

    private static final int MAX_SHOWN = 64;
    private static final Duration MAX_RETRY_AFTER = Duration.ofMinutes(1);

    private final int status;
    private final List<FieldError> errors;
    private Duration retryAfter;

    private InvalidRequestException(int status, String message, List<FieldError> errors) {
        super(message, null, false, false);
        this.status = status;
        this.errors = List.copyOf(errors);
    }

    /** Text of the client, cut to {@value #MAX_SHOWN} characters. An unpaired surrogate becomes a ?, as UTF-8 can't encode it. */
    public static String shown(String text) {
        String start = text.length() <= MAX_SHOWN ? text : text.substring(0, MAX_SHOWN) + "…";
        return new String(start.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    }

    /** 400: a body that is not one JSON text, or a malformed header, path or query. */
    public static InvalidRequestException malformed(String message) {
        return new InvalidRequestException(400, message, List.of());
    }

    /** 415: the body is not labelled as JSON. */
    public static InvalidRequestException unsupportedMediaType(String message) {
        return new InvalidRequestException(415, message, List.of());
    }

    /** 422: it is JSON, but some fields are wrong. */
    public static InvalidRequestException wrongFields(List<FieldError> errors) {
        return new InvalidRequestException(422, "The comment is not valid: see the errors, each with its field.", errors);
    }

    /** 401: no API key, or an unknown one. */
    static InvalidRequestException unauthorized() {
        return new InvalidRequestException(401, "An API key is required: Authorization: Bearer <key>.", List.of());
    }

    /** 403: the API key lacks a scope. */
    static InvalidRequestException forbidden(String message) {
        return new InvalidRequestException(403, message, List.of());
    }

    /** 410: the comment was erased, for good. */
    public static InvalidRequestException gone() {
        return new InvalidRequestException(410, "This comment was erased.", List.of());
    }

    /** 429: not accepted. The client may retry after a while. */
    static InvalidRequestException tooMany(Duration retryAfter) {
        InvalidRequestException tooMany = new InvalidRequestException(429, "The client exceeds its rate of comments. Retry later.", List.of());
        tooMany.retryAfter = retryAfter;
        return tooMany;
    }

    /** 429: its client has too many streams open. */
    static InvalidRequestException tooManyStreams() {
        InvalidRequestException tooMany = new InvalidRequestException(429, "This client has too many streams open.", List.of());
        tooMany.retryAfter = Duration.ZERO;
        return tooMany;
    }

    /** 404: no such comment, or not yet. */
    public static InvalidRequestException notFound() {
        InvalidRequestException notFound = new InvalidRequestException(404,
                "No comment has this id. A comment that was just accepted can take a moment to appear: try again.", List.of());
        notFound.retryAfter = Duration.ZERO;
        return notFound;
    }

    /** 404: no such comment in a replica of the database, which may get it when it is no longer behind. */
    public static InvalidRequestException notReplicated(Duration behind) {
        InvalidRequestException notFound = new InvalidRequestException(404, ("No comment has this id in the replica of the database that was read, which is %s"
                + " behind. A comment that was just accepted can take as long to appear: try again.")
                .formatted(behind.toSeconds() < 1 ? "a moment" : behind.toSeconds() + " s"), List.of());
        notFound.retryAfter = behind.compareTo(MAX_RETRY_AFTER) < 0 ? behind : MAX_RETRY_AFTER;
        return notFound;
    }

    /** When a retry may help; null if it never does. */
    Duration retryAfter() {
        return retryAfter;
    }

    /** The HTTP status of the answer. */
    public int status() {
        return status;
    }

    /** The wrong fields, in the order of the body; empty unless the status is 422. */
    public List<FieldError> errors() {
        return errors;
    }
}
