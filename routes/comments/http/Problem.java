package comments.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.http.converter.json.ProblemDetailJacksonMixin;

/** Writes problem details (RFC 9457). */
public final class Problem {

    /** The media type of a problem. */
    public static final String MEDIA_TYPE = "application/problem+json";

    private static final Map<Integer, String> DETAILS = Map.of(
            400, "The request is malformed.",
            404, "There is nothing at this path.",
            405, "This path does not support this method.",
            413, "The body is too large.",
            414, "The URL is too long.",
            431, "The headers are too large.",
            500, "The server failed to process the request. Nothing is promised.",
            503, "This process is shutting down. Try again; repeat a POST with the same Idempotency-Key.");

    /** The statuses that have a {@link #detail}. */
    static final Set<Integer> STATUSES = DETAILS.keySet();

    private static final ObjectMapper JSON =
            new ObjectMapper().addMixIn(ProblemDetail.class, ProblemDetailJacksonMixin.class);

    private Problem() {
    }

    /** The general detail of a status. */
    public static String detail(int status) {
        return DETAILS.get(status);
    }

    /** Answers with a problem of a status and a detail. Leaves other headers unchanged. */
    public static void write(Message message, int status, String detail) {
        write(message, status, json(status, detail));
    }

    /** Answers with a problem, given as JSON. */
    public static void write(Message message, int status, byte[] json) {
        message.setHeader(Exchange.HTTP_RESPONSE_CODE, status);
        message.setHeader(Exchange.CONTENT_TYPE, MEDIA_TYPE);
        message.setBody(json);
    }

    /** A problem of a status and a detail, as JSON. */
    public static byte[] json(int status, String detail) {
        return json(status, detail, List.of());
    }

    /** A problem with its wrong fields, if any, as JSON. */
    public static byte[] json(int status, String detail, List<InvalidRequestException.FieldError> errors) {
        ProblemDetail problem = ProblemDetail.forStatusAndDetail(HttpStatus.valueOf(status), detail);
        problem.setType(URI.create("about:blank"));
        if (!errors.isEmpty()) {
            problem.setProperty("errors", errors);
        }
        try {
            return JSON.writeValueAsBytes(problem);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a problem has only strings and numbers", e);
        }
    }
}
