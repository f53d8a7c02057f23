package comments;

import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.Router;
import java.util.Map;

/** Answers what the HTTP server refuses before a route sees it. */
final class HttpProblems {

    private static final Map<Integer, String> DETAILS = Map.of(
            400, "The request is malformed.",
            404, "There is nothing at this path.",
            405, "The path doesn't take this method.",
            413, "The body is too large.",
            414, "The URL is too long.",
            431, "The headers are too large.",
            500, "The request failed here, and nothing is promised.",
            503, "Nothing is accepted now. Retry with the same Idempotency-Key.");

    private HttpProblems() {
    }

    /** Answers a request before its body was read. */
    static void answer(HttpServerRequest request, int status) {
        answer(request.response(), status);
    }

    /** Answers a request whose body is larger than what is taken; what is left of it would be taken for the next request. */
    static void answerTooLarge(HttpServerRequest request) {
        request.response().putHeader("Connection", "close");
        answer(request.response(), 413).onComplete(done -> request.connection().close());
    }

    /** Makes the router's own errors problems. */
    static void answerErrors(Router router) {
        DETAILS.keySet().forEach(status -> router.errorHandler(status, context -> {
            if (!context.response().headWritten()) {
                // a body that is still coming would be taken for the next request
                if (status == 413) {
                    context.response().putHeader("Connection", "close");
                }
                answer(context.response(), status);
            }
        }));
    }

    /** Answers a request that is not HTTP, or whose line or headers are too long, and closes the connection. */
    static void answerInvalid(HttpServerRequest request) {
        Throwable cause = request.decoderResult().cause();
        int status = cause instanceof TooLongHttpLineException ? 414 : cause instanceof TooLongFrameException ? 431 : 400;
        HttpServerResponse response = request.response();
        response.putHeader("Connection", "close");
        answer(response, status).onComplete(done -> request.connection().close());
    }

    private static Future<Void> answer(HttpServerResponse response, int status) {
        if (status == 503) {
            response.putHeader("Retry-After", "1");
        }
        return response.setStatusCode(status)
                .putHeader("Content-Type", Problem.MEDIA_TYPE)
                .end(Buffer.buffer(Problem.json(status, DETAILS.get(status))));
    }
}
