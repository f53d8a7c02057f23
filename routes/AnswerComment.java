package comments;

import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Answers with the JSON of a comment: see {@link ReadAnswer}. Throws {@link InvalidRequest} if there is none: a 404, which
 * may change in a moment.
 */
public class AnswerComment implements Processor {

    @Override
    public void process(Exchange exchange) throws Exception {
        byte[] json = exchange.getMessage().getBody(byte[].class);
        if (json == null) {
            throw InvalidRequest.notFound();
        }
        ReadAnswer.write(exchange, json, null);
    }
}
