package comments.http;

import io.vertx.core.http.HttpServerResponse;

/** The body of a response on the event loop that stays open after its exchange is done: see {@link EventLoopConsumer}. */
interface OpenResponse {

    /** Takes over a response whose status and headers are set, and must end it. Called on the event loop. */
    void open(HttpServerResponse response);
}
