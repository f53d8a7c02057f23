package comments.http;

import io.vertx.core.http.HttpServerResponse;

/** The body of an answer on the event loop that goes on after its exchange is done: see {@link EventLoopConsumer}. */
interface OpenResponse {

    /** Takes over an answer whose status and headers are set; called on the event loop. Whoever has it must end it. */
    void open(HttpServerResponse response);
}
