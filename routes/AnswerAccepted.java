package comments;

import java.nio.charset.StandardCharsets;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;

/** Answers 202 with the id that {@link AcceptComment} gave the comment. All headers are replaced. */
public class AnswerAccepted implements Processor {

    @Override
    public void process(Exchange exchange) {
        String id = exchange.getProperty(AcceptComment.COMMENT_ID).toString();
        Message message = exchange.getMessage();
        message.removeHeaders("*");
        message.setHeader(Exchange.HTTP_RESPONSE_CODE, 202);
        message.setHeader("Location", "/comments/" + id);
        message.setHeader(Exchange.CONTENT_TYPE, "application/json");
        message.setBody(("{\"id\":\"" + id + "\"}").getBytes(StandardCharsets.ISO_8859_1));
    }
}
