package comments.stream;

import comments.http.ServerSentEvent;
import comments.http.SseClient;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;

/**
 * Answers a client with a stream that stays open. It begins with the comments that the client missed, or with an event that
 * says that they could not be read.
 */
public class StartEventStream implements Processor {

    // per client; live events are shared by many clients
    private static final int MAX_CHARS = 32 << 10;

    @Override
    @SuppressWarnings("unchecked")
    public void process(Exchange exchange) {
        SseClient client = exchange.getProperty(Subscribe.CLIENT, SseClient.class);
        Message message = exchange.getMessage();
        if (exchange.getProperty(Subscribe.RESUMES) != null && client.isConnected()) {
            boolean failed = exchange.getProperty(Exchange.EXCEPTION_CAUGHT) != null;
            client.catchUp(failed ? missed(List.of(), true) : missed(message.getBody(List.class), false));
        }
        message.removeHeaders("*");
        message.setHeader(Exchange.HTTP_RESPONSE_CODE, 200);
        message.setHeader(Exchange.CONTENT_TYPE, "text/event-stream");
        message.setHeader("X-Content-Type-Options", "nosniff");
        // turns off the buffering of proxies such as nginx
        message.setHeader("X-Accel-Buffering", "no");
        message.setBody(client);
    }

    // the rows come newest first, and up to one more than the limit; the oldest is sent first
    private static String missed(List<Map<String, Object>> rows, boolean unread) {
        StringBuilder events = new StringBuilder();
        int shown = 0;
        while (shown < Math.min(rows.size(), Subscribe.MAX_MISSED) && events.length() < MAX_CHARS) {
            events.insert(0, SelectSubscribed.event(rows.get(shown)));
            shown++;
        }
        return events.append(ServerSentEvent.of("missed",
                "{\"shown\":%d,\"more\":%b}".formatted(shown, unread || rows.size() > shown))).toString();
    }
}
