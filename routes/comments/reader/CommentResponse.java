package comments.reader;

import comments.http.ConditionalResponse;
import comments.http.InvalidRequestException;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Answers with the JSON of a comment: see {@link ConditionalResponse}. Throws {@link InvalidRequestException} if there is none: a 404, which
 * may change in a moment.
 */
public class CommentResponse implements Processor {

    @Override
    public void process(Exchange exchange) throws Exception {
        byte[] json = exchange.getMessage().getBody(byte[].class);
        if (json == null) {
            throw InvalidRequestException.notFound();
        }
        ConditionalResponse.write(exchange, json, null);
    }
}
