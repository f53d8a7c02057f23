package comments.stream;

import comments.http.ServerSentEvent;
import comments.http.SseClient;
import io.vertx.core.buffer.Buffer;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;

/** Answers a listener with a stream that stays open, which begins with what he missed, or with that it could not be read. */
public class StartEventStream implements Processor {

    // his alone, while what is told live is the same for many
    private static final int MOST_CHARS = 32 << 10;

    @Override
    @SuppressWarnings("unchecked")
    public void process(Exchange exchange) {
        SseClient listener = exchange.getProperty(Subscribe.LISTENER, SseClient.class);
        Message message = exchange.getMessage();
        if (exchange.getProperty(Subscribe.COMES_BACK) != null && listener.isThere()) {
            boolean failed = exchange.getProperty(Exchange.EXCEPTION_CAUGHT) != null;
            listener.catchUp(failed ? missed(List.of(), true) : missed(message.getBody(List.class), false));
        }
        message.removeHeaders("*");
        message.setHeader(Exchange.HTTP_RESPONSE_CODE, 200);
        message.setHeader(Exchange.CONTENT_TYPE, "text/event-stream");
        message.setHeader("X-Content-Type-Options", "nosniff");
        // proxies of nginx's kind would keep events until there are more
        message.setHeader("X-Accel-Buffering", "no");
        message.setBody(listener);
    }

    // The newest come first, one more than is told; the oldest must be told first.
    private static Buffer missed(List<Map<String, Object>> rows, boolean unread) {
        StringBuilder events = new StringBuilder();
        int shown = 0;
        while (shown < Math.min(rows.size(), Subscribe.MOST_MISSED) && events.length() < MOST_CHARS) {
            events.insert(0, HeardComments.event(rows.get(shown)));
            shown++;
        }
        events.append(ServerSentEvent.of("missed",
                "{\"shown\":%d,\"more\":%b}".formatted(shown, unread || rows.size() > shown)));
        return Buffer.buffer(events.toString());
    }
}
