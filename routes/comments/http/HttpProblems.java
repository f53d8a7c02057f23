package comments.http;

import comments.observe.PipelineMetrics;
import comments.observe.PipelineMetrics.Refusal;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import java.util.Arrays;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Answers requests that the HTTP server refuses before a route. */
final class HttpProblems {

    // the kernel resets a connection that is closed with unread data, and the reset may take the answer from the client (RFC 9112, 9.6)
    private static final long LINGER_MILLIS = 2000;

    private HttpProblems() {
    }

    /** Answers a request whose body is too large, and closes the connection: the rest of the body would be read as the next request. */
    static void answerTooLarge(HttpServerRequest request) {
        answerAndClose(request, 413);
    }

    /**
     * Answers, and closes an HTTP/1 connection when the rest of the request has come, at the latest after {@link #LINGER_MILLIS}. An
     * HTTP/2 connection stays open, because many requests share it. Called on the event loop.
     */
    static void answerAndClose(HttpServerRequest request, int status) {
        closing(request);
        Future<Void> answered = answer(request.response(), status);
        if (request.version() != HttpVersion.HTTP_2) {
            answered.onComplete(written -> closeWhenReceived(request));
        }
    }

    private static void closing(HttpServerRequest request) {
        if (request.version() != HttpVersion.HTTP_2) {
            request.response().putHeader("Connection", "close");
        }
    }

    private static void closeWhenReceived(HttpServerRequest request) {
        HttpConnection connection = request.connection();
        if (request.isEnded()) {
            connection.close();
            return;
        }
        Vertx vertx = Vertx.currentContext().owner();
        long timer = vertx.setTimer(LINGER_MILLIS, late -> connection.close());
        request.handler(ignored -> { }).endHandler(end -> {
            vertx.cancelTimer(timer);
            connection.close();
        }).resume();
    }

    /** Answers a request that exceeds a limit: 503 for that of the process, 429 for that of its client. */
    static Future<Void> answerBusy(HttpServerRequest request, int status) {
        if (isPost(request)) {
            PipelineMetrics.refused(status == 429 ? Refusal.TOO_MANY : Refusal.FULL);
        }
        return write(request.response(), status, status == 429 ? "This client has too many requests in progress. Retry later."
                : "Too many requests are waiting. Try again.");
    }

    /** Like {@link #answerBusy}, and closes the connection as {@link #answerAndClose} does. */
    static void answerBusyAndClose(HttpServerRequest request, int status) {
        closing(request);
        Future<Void> answered = answerBusy(request, status);
        if (request.version() != HttpVersion.HTTP_2) {
            answered.onComplete(written -> closeWhenReceived(request));
        }
    }

    // only these are counted by the reason
    private static boolean isPost(HttpServerRequest request) {
        return request.method() == HttpMethod.POST;
    }

    /** Answers a request that was not admitted. Its admission has counted it, but for an API key that is missing, or lacks a scope. */
    static void answerRefused(HttpServerRequest request, Exception refusal) {
        HttpServerResponse response = request.response();
        if (!(refusal instanceof InvalidRequestException invalid)) {
            write(response, 503, "Nothing is accepted now. Retry later.");
            return;
        }
        boolean unknown = invalid.status() == 401;
        if (isPost(request) && (unknown || invalid.status() == 403)) {
            PipelineMetrics.refused(unknown ? Refusal.UNAUTHORIZED : Refusal.FORBIDDEN);
        }
        if (unknown) {
            response.putHeader("WWW-Authenticate", "Bearer");
        }
        write(response, invalid.status(), invalid.getMessage());
    }

    /** Turns the router's own errors into problems. */
    static void answerErrors(Router router) {
        Problem.STATUSES.forEach(status -> router.errorHandler(status, context -> {
            if (!context.response().headWritten()) {
                // the rest of the body would be read as the next request
                if (status == 413) {
                    context.response().putHeader("Connection", "close");
                }
                if (status == 405) {
                    context.response().putHeader("Allow", methods(router, context.normalizedPath()));
                }
                answer(context.response(), status);
            }
        }));
    }

    private static String methods(Router router, String path) {
        boolean named = router.getRoutes().stream().anyMatch(route -> path.equals(route.getPath()));
        return router.getRoutes().stream().filter(route -> route.getPath() != null)
                .filter(route -> named ? path.equals(route.getPath()) : path.matches(pattern(route)))
                .flatMap(route -> route.methods().stream()).map(HttpMethod::name).distinct().collect(Collectors.joining(", "));
    }

    /** The paths of a route, such as {@code /comments/:id}, as a regular expression. */
    private static String pattern(Route route) {
        String segments = Arrays.stream(route.getPath().split("/", -1))
                .map(segment -> segment.startsWith(":") ? "[^/]+" : Pattern.quote(segment)).collect(Collectors.joining("/"));
        return route.isExactPath() ? segments : segments + ".*";
    }

    /** Answers a request that is not HTTP, or whose line or headers are too long, and closes the connection. */
    static void answerInvalid(HttpServerRequest request) {
        Throwable cause = request.decoderResult().cause();
        int status = cause instanceof TooLongHttpLineException ? 414 : cause instanceof TooLongFrameException ? 431 : 400;
        answerAndClose(request, status);
    }

    /** Answers with the general problem of a status. */
    static Future<Void> answer(HttpServerResponse response, int status) {
        switch (status) {
            case 400, 414, 431 -> PipelineMetrics.refused(Refusal.NOT_HTTP);
            case 413 -> PipelineMetrics.refused(Refusal.TOO_LARGE);
            case 503 -> PipelineMetrics.refused(Refusal.STOPPING);
            default -> {
                // not about a comment
            }
        }
        return write(response, status, Problem.detail(status));
    }

    private static Future<Void> write(HttpServerResponse response, int status, String detail) {
        if (status == 503 || status == 429) {
            response.putHeader("Retry-After", "1");
        }
        return response.setStatusCode(status)
                .putHeader("Content-Type", Problem.MEDIA_TYPE)
                .end(Buffer.buffer(Problem.json(status, detail)));
    }
}
