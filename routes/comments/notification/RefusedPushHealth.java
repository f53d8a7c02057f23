package comments.notification;

import comments.rabbitmq.KeptMessagesHealth;
import java.time.Instant;
import org.apache.camel.ExchangeProperty;

/**
 * The health check {@code comments/refused-pushes}: down while the queue {@code notifications-refused} has notifications, which the
 * receiver refused, and which must be replayed. A push that the receiver takes later does not mend that.
 *
 * <p>Any number of threads may call it.
 */
public class RefusedPushHealth extends KeptMessagesHealth {

    private record Refused(String reason, Instant at) {
    }

    // null until this process keeps a refused push
    private volatile Refused last;

    public RefusedPushHealth() {
        super("refused-pushes", "notifications-refused", "refused.messages");
    }

    /** Notes that a refused notification is kept in the queue. */
    public void refused(@ExchangeProperty("pushRefused") String reason) {
        last = new Refused(reason, Instant.now());
        kept();
    }

    @Override
    protected String advice() {
        return "The queue %s has notifications that the receiver of pushes refused. Mend it, then replay them".formatted(queue());
    }

    @Override
    protected String message() {
        Refused refused = last;
        return super.message() + (refused == null ? ""
                : ". This process was refused the last one with %s at %s".formatted(refused.reason, refused.at));
    }
}
