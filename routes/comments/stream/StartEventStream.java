package comments.stream;

import comments.http.SseClient;
import comments.http.SseClients;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;

/**
 * Answers a client with a stream that stays open. It begins with the comments and the changes that the client missed, or with an event
 * that says that they were not read: the database did not answer, or the client resumes with an id that says nothing.
 */
public class StartEventStream implements Processor {

    // per client; live events are shared by many clients
    private static final int MAX_CHARS = 32 << 10;

    @Override
    @SuppressWarnings("unchecked")
    public void process(Exchange exchange) {
        SseClient client = exchange.getProperty(Subscribe.CLIENT, SseClient.class);
        Message message = exchange.getMessage();
        Long since = exchange.getProperty(Subscribe.RESUMES, Long.class);
        if (since != null && client.isConnected()) {
            boolean unread = since == SseClients.UNKNOWN_ID || exchange.getProperty(Exchange.EXCEPTION_CAUGHT) != null;
            client.catchUp(missed(unread ? List.of() : message.getBody(List.class), unread), since);
        }
        message.removeHeaders("*");
        message.setHeader(Exchange.HTTP_RESPONSE_CODE, 200);
        message.setHeader(Exchange.CONTENT_TYPE, "text/event-stream");
        message.setHeader("X-Content-Type-Options", "nosniff");
        // turns off the buffering of proxies such as nginx
        message.setHeader("X-Accel-Buffering", "no");
        message.setBody(client);
    }

    // the rows come latest first, and up to one more than the limit; they are sent in the order in which they were written
    private static String missed(List<Map<String, Object>> rows, boolean unread) {
        StringBuilder events = new StringBuilder();
        int shown = 0;
        while (shown < Math.min(rows.size(), Subscribe.MAX_MISSED) && events.length() < MAX_CHARS) {
            events.insert(0, SelectSubscribed.event(rows.get(shown), Boolean.TRUE.equals(rows.get(shown).get("changed"))));
            shown++;
        }
        return events.append(SelectSubscribed.missed(shown, unread || rows.size() > shown)).toString();
    }
}
