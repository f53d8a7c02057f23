package comments.http;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.stream.Collectors;
import org.apache.camel.component.platform.http.spi.Method;

/**
 * Lets the pages of other origins call the API from a browser (CORS, as the Fetch standard has it). No client sends cookies, so
 * credentials are never allowed.
 *
 * <p>Vert.x's CorsHandler needs its router, which the routes on the event loop do without. Called on the event loop.
 */
final class CrossOrigin {

    static final String ANY = "*";

    private static final String REQUEST_HEADERS =
            "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, traceparent";
    private static final String RESPONSE_HEADERS = "Location, Link, ETag, Retry-After";
    private static final String PREFLIGHT_SECONDS = "3600";

    private final Set<String> origins;
    private final Set<Method> methods = new ConcurrentSkipListSet<>();

    /**
     * Allows origins.
     *
     * @param origins such as {@code https://example.com}, separated by commas; {@value #ANY} for all, "" for none
     */
    CrossOrigin(String origins) {
        this.origins = Arrays.stream(origins.split(",")).map(String::strip).filter(origin -> !origin.isEmpty())
                .collect(Collectors.toSet());
    }

    /** Allows methods that a route serves. Any thread may call it. */
    void allow(Set<Method> served) {
        methods.addAll(served);
    }

    /** Adds the headers of the answer, whatever its status will be. Returns whether this was a preflight, which is answered. */
    boolean answers(HttpServerRequest request) {
        if (origins.isEmpty()) {
            return false;
        }
        HttpServerResponse response = request.response();
        boolean any = origins.contains(ANY);
        if (!any) {
            response.putHeader(HttpHeaders.VARY, HttpHeaders.ORIGIN);
        }
        String origin = request.getHeader(HttpHeaders.ORIGIN);
        boolean preflight = origin != null && request.method() == HttpMethod.OPTIONS
                && request.headers().contains(HttpHeaders.ACCESS_CONTROL_REQUEST_METHOD);
        if (origin != null && (any || origins.contains(origin))) {
            response.putHeader(HttpHeaders.ACCESS_CONTROL_ALLOW_ORIGIN, any ? ANY : origin);
            if (preflight) {
                response.putHeader(HttpHeaders.ACCESS_CONTROL_ALLOW_METHODS,
                                methods.stream().map(Method::name).collect(Collectors.joining(", ")))
                        .putHeader(HttpHeaders.ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS)
                        .putHeader(HttpHeaders.ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS);
            } else {
                response.putHeader(HttpHeaders.ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
            }
        }
        if (preflight) {
            // without the headers above, the browser refuses the request for the page
            response.setStatusCode(204).end();
        }
        return preflight;
    }
}
