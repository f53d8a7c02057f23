package comments.service;

import comments.service.AcceptComment.Accepted;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.stream.Collectors;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;

/**
 * Answers 202 with the ids from {@link AcceptComment}: {@code {"id":"…"}} and a Location for one comment,
 * {@code {"ids":["…","…"]}} for a list. All headers are replaced.
 */
public class AnswerAccepted implements Processor {

    private String basePath = "";
    private boolean located = true;

    /** The path below which a proxy serves the API, such as {@code /c}. Empty by default. */
    public void setBasePath(String basePath) {
        this.basePath = basePath;
    }

    /** Whether one id is that of a comment, which can be read. It is by default. */
    public void setLocated(boolean located) {
        this.located = located;
    }

    @Override
    public void process(Exchange exchange) {
        Accepted accepted = exchange.getProperty(AcceptComment.ACCEPTED, Accepted.class);
        Message message = exchange.getMessage();
        message.removeHeaders("*");
        message.setHeader(Exchange.HTTP_RESPONSE_CODE, 202);
        message.setHeader(Exchange.CONTENT_TYPE, "application/json");
        String json;
        if (accepted.bulk()) {
            json = accepted.ids().stream().map(UUID::toString).collect(Collectors.joining("\",\"", "{\"ids\":[\"", "\"]}"));
        } else {
            String id = accepted.ids().get(0).toString();
            if (located) {
                message.setHeader("Location", basePath + "/comments/" + id);
            }
            json = "{\"id\":\"" + id + "\"}";
        }
        message.setBody(json.getBytes(StandardCharsets.ISO_8859_1));
    }
}
