package comments;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.util.List;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.http.converter.json.ProblemDetailJacksonMixin;

/** Writes problem details (RFC 9457). */
public final class Problem {

    /** The media type of a problem. */
    public static final String MEDIA_TYPE = "application/problem+json";

    private static final ObjectMapper JSON =
            new ObjectMapper().addMixIn(ProblemDetail.class, ProblemDetailJacksonMixin.class);

    private Problem() {
    }

    /** A problem of which no more is known than its HTTP status. */
    public static byte[] json(int status, String detail) {
        return json(status, detail, List.of());
    }

    /** A problem with the fields that are wrong, if there are any. */
    public static byte[] json(int status, String detail, List<InvalidRequest.FieldError> errors) {
        ProblemDetail problem = ProblemDetail.forStatusAndDetail(HttpStatus.valueOf(status), detail);
        problem.setType(URI.create("about:blank"));
        if (!errors.isEmpty()) {
            problem.setProperty("errors", errors);
        }
        try {
            return JSON.writeValueAsBytes(problem);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a problem is made of strings and numbers", e);
        }
    }
}
