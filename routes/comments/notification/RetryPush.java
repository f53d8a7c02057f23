package comments.notification;

import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.http.base.HttpOperationFailedException;

/**
 * Fails an attempt to push, so that it is tried again. If the answer has {@code Retry-After}, in seconds or as a date, the next
 * attempt waits that long, at most ten minutes: RabbitMQ closes a channel that holds a message for 30 minutes.
 *
 * <p>Any number of threads may call it. It always throws {@link HttpOperationFailedException}.
 */
public class RetryPush implements Processor {

    private static final Duration MAX_DELAY = Duration.ofMinutes(10);

    private final Clock clock;

    public RetryPush() {
        this(Clock.systemUTC());
    }

    RetryPush(Clock clock) {
        this.clock = clock;
    }

    @Override
    public void process(Exchange exchange) throws HttpOperationFailedException {
        Message answer = exchange.getMessage();
        Duration delay = delay(answer.getHeader("Retry-After", "", String.class).strip());
        if (!delay.isZero()) {
            // the error handler takes it instead of its own delay
            answer.setHeader(Exchange.REDELIVERY_DELAY, delay.toMillis());
        }
        // without the address, which may have a secret in it
        throw new HttpOperationFailedException("", answer.getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class), null, null, null, null);
    }

    /** How long a {@code Retry-After} says to wait, at most ten minutes; zero if it says nothing. */
    Duration delay(String retryAfter) {
        Duration delay = Duration.ZERO;
        try {
            // a longer number means ten minutes, too
            delay = retryAfter.matches("\\d+") ? Duration.ofSeconds(Integer.parseInt(retryAfter, 0, Math.min(9, retryAfter.length()), 10))
                    : Duration.between(clock.instant(), ZonedDateTime.parse(retryAfter, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant());
        } catch (DateTimeException e) {
            // neither seconds nor a date
        }
        return delay.isNegative() ? Duration.ZERO : delay.compareTo(MAX_DELAY) > 0 ? MAX_DELAY : delay;
    }
}
