package comments.http;

import comments.postgresql.ReadsPausedException;
import java.sql.SQLException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.util.ObjectHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers a failed read with a problem (RFC 9457): an {@link InvalidRequestException} with its own 4xx, the database's failure with
 * 503, and anything else, which is ours, with 500. Nothing of the failure itself is told, but logged, once a second at most.
 *
 * <p>All headers are replaced: nothing that the caller sent is echoed. Any number of threads may call it.
 */
public class AnswerReadWithProblem implements Processor {

    private static final Logger LOG = LoggerFactory.getLogger(AnswerReadWithProblem.class);
    private static final int RETRY_AFTER_SECONDS = 1;
    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final AtomicLong lastLogged = new AtomicLong(System.nanoTime() - PAUSE_NANOS);

    @Override
    public void process(Exchange exchange) {
        Message message = exchange.getMessage();
        message.removeHeaders("*");
        Exception failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
        if (failure instanceof InvalidRequestException invalid) {
            AnswerWithProblem.write(message, invalid);
        } else if (failure instanceof RejectedExecutionException || ObjectHelper.getException(SQLException.class, failure) != null) {
            // what fails again at once was logged when it failed first, and that many listen is no failure
            if (!(failure instanceof ReadsPausedException || failure instanceof RejectedExecutionException) && mayLog()) {
                LOG.warn("A read failed: {}", failure.toString());
            }
            message.setHeader("Retry-After", RETRY_AFTER_SECONDS);
            Problem.write(message, 503, "Comments can't be read now. Try again.");
        } else {
            if (mayLog()) {
                LOG.error("A read failed", failure);
            }
            Problem.write(message, 500, HttpProblems.detail(500));
        }
    }

    private boolean mayLog() {
        long last = lastLogged.get();
        long now = System.nanoTime();
        return now - last >= PAUSE_NANOS && lastLogged.compareAndSet(last, now);
    }
}
