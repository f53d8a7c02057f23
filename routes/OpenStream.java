package comments;

import io.vertx.core.buffer.Buffer;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;

/** Answers a listener with a stream that stays open, which begins with what he missed, or with that it could not be read. */
public class OpenStream implements Processor {

    @Override
    @SuppressWarnings("unchecked")
    public void process(Exchange exchange) {
        Listener listener = exchange.getProperty(Listen.LISTENER, Listener.class);
        Message message = exchange.getMessage();
        Boolean cut = exchange.getProperty(Listen.CUT, Boolean.class);
        if (cut != null) {
            boolean failed = exchange.getProperty(Exchange.EXCEPTION_CAUGHT) != null;
            listener.catchUp(failed ? missed(List.of(), true) : missed(message.getBody(List.class), cut));
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
    private static Buffer missed(List<Map<String, Object>> rows, boolean cut) {
        StringBuilder events = new StringBuilder();
        int shown = 0;
        while (shown < Math.min(rows.size(), Listen.MOST_MISSED) && events.length() < HeardComments.MOST_BYTES) {
            events.insert(0, HeardComments.event(rows.get(shown)));
            shown++;
        }
        events.append(ServerSentEvent.of("missed",
                "{\"shown\":%d,\"more\":%b}".formatted(shown, cut || rows.size() > shown)));
        return Buffer.buffer(events.toString());
    }
}
