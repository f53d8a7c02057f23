package comments;

import java.util.concurrent.RejectedExecutionException;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers a failed read with a problem (RFC 9457): an {@link InvalidRequest} with its own 4xx, anything else with 503.
 * Nothing of the failure itself is told, but logged.
 *
 * <p>All headers are replaced: nothing that the caller sent is echoed.
 */
public class AnswerReadWithProblem implements Processor {

    private static final Logger LOG = LoggerFactory.getLogger(AnswerReadWithProblem.class);
    private static final int RETRY_AFTER_SECONDS = 1;

    @Override
    public void process(Exchange exchange) {
        Message message = exchange.getMessage();
        message.removeHeaders("*");
        Exception failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
        if (failure instanceof InvalidRequest invalid) {
            AnswerWithProblem.write(message, invalid);
        } else {
            // what fails again at once was logged when it failed first, and that many listen is no failure
            if (!(failure instanceof ReadsPaused || failure instanceof RejectedExecutionException)) {
                LOG.warn("A read failed: {}", failure.toString());
            }
            message.setHeader(Exchange.HTTP_RESPONSE_CODE, 503);
            message.setHeader(Exchange.CONTENT_TYPE, Problem.MEDIA_TYPE);
            message.setHeader("Retry-After", RETRY_AFTER_SECONDS);
            message.setBody(Problem.json(503, "Comments can't be read now. Try again."));
        }
    }
}
