package comments.http;

import java.util.Collection;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.platform.http.vertx.HttpMessage;

/** Reads headers as the client sent them. platform-http also makes headers of query parameters; this class ignores those. */
public final class RequestHeaders {

    private RequestHeaders() {
    }

    /** The method of the request, in capitals. */
    public static String method(Message message) {
        return message instanceof HttpMessage http ? http.getRequest().method().name()
                : message.getHeader(Exchange.HTTP_METHOD, String.class);
    }

    /** All values of a header, in the order of the request. */
    public static List<String> of(Message message, String name) {
        if (message instanceof HttpMessage http) {
            return http.getRequest().headers().getAll(name);
        }
        Object value = message.getHeader(name);
        if (value instanceof Collection<?> values) {
            return values.stream().map(String::valueOf).toList();
        }
        return value == null ? List.of() : List.of(value.toString());
    }
}
