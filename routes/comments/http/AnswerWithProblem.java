package comments.http;

import comments.observe.PipelineMetrics;
import comments.observe.PipelineMetrics.Refusal;
import comments.service.NotAdmittedException;
import java.util.concurrent.RejectedExecutionException;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;

/**
 * Answers a failed request with a problem (RFC 9457): an {@link InvalidRequestException} with its own 4xx, anything else with
 * 503, since then nothing was promised. Nothing of the failure itself is told.
 *
 * <p>All headers are replaced: nothing that the caller sent is echoed.
 */
public class AnswerWithProblem implements Processor {

    private static final int RETRY_AFTER_SECONDS = 1;

    @Override
    public void process(Exchange exchange) {
        Message message = exchange.getMessage();
        message.removeHeaders("*");
        Exception failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
        if (failure instanceof InvalidRequestException invalid) {
            PipelineMetrics.refused(reason(invalid));
            write(message, invalid);
        } else {
            PipelineMetrics.refused(reason(failure));
            message.setHeader("Retry-After", RETRY_AFTER_SECONDS);
            Problem.write(message, 503, failure instanceof NotAdmittedException || failure instanceof RejectedExecutionException
                    ? "Nothing is accepted now. Retry later."
                    : "The comment is not promised. Retry with the same Idempotency-Key.");
        }
    }

    /** Writes the answer to what is the caller's fault. */
    static void write(Message message, InvalidRequestException invalid) {
        Problem.write(message, invalid.status(), Problem.json(invalid.status(), invalid.getMessage(), invalid.errors()));
        if (invalid.status() == 401) {
            message.setHeader("WWW-Authenticate", "Bearer");
        }
        if (invalid.retryAfter() != null) {
            message.setHeader("Retry-After", invalid.retryAfter().toSeconds() + 1);
        }
    }

    private static Refusal reason(Exception failure) {
        if (failure instanceof NotAdmittedException notAdmitted) {
            return notAdmitted.reason();
        }
        return failure instanceof RejectedExecutionException ? Refusal.FULL : Refusal.UNCONFIRMED;
    }

    private static Refusal reason(InvalidRequestException invalid) {
        return switch (invalid.status()) {
            case 400 -> Refusal.MALFORMED;
            case 401 -> Refusal.UNAUTHORIZED;
            case 415 -> Refusal.MEDIA_TYPE;
            case 429 -> Refusal.TOO_MANY;
            default -> Refusal.INVALID;
        };
    }
}
