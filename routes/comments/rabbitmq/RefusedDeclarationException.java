package comments.rabbitmq;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.ShutdownSignalException;
import java.util.List;
import org.springframework.amqp.AmqpException;

/**
 * The broker has no queue or exchange as it is needed, and will not make it. Another try does not help: the broker must be
 * changed. The message says in one line what is wrong and what would be right.
 */
public class RefusedDeclarationException extends AmqpException {

    private static final long serialVersionUID = 1L;
    private static final int RESOURCE_LOCKED = 405;

    private RefusedDeclarationException(String message) {
        super(message);
    }

    /**
     * Makes one of a failure if the broker refused to declare something; else returns the failure.
     *
     * @param what for instance {@code queue comments}
     * @param right what it must be, for instance {@code a durable quorum queue}
     */
    static RuntimeException of(RuntimeException failure, String what, String right, List<String> nodes) {
        Refusal refusal = refusal(failure);
        if (refusal == null) {
            return failure;
        }
        String reason = switch (refusal.code()) {
            case AMQP.PRECONDITION_FAILED -> "exists with other properties (%s). It must be %s: delete it once it is empty"
                    .formatted(refusal.text(), right);
            case AMQP.NOT_FOUND -> "is missing, and this user may not declare it. Declare it as %s, or let the user configure it"
                    .formatted(right);
            case RESOURCE_LOCKED -> "belongs to another connection alone (exclusive). It must be %s: end that connection"
                    .formatted(right);
            default -> "can't be declared (%s). It must be %s".formatted(refusal.text(), right);
        };
        return new RefusedDeclarationException("the %s at %s %s".formatted(what, String.join(",", nodes), reason));
    }

    /** Why the broker refused an operation, as a reply code of AMQP and a text. */
    record Refusal(int code, String text) {
    }

    /** Why the broker refused an operation, or null if it did not. */
    static Refusal refusal(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof ShutdownSignalException signal) {
                if (signal.getReason() instanceof AMQP.Channel.Close close) {
                    return new Refusal(close.getReplyCode(), close.getReplyText());
                }
                // some brokers close the connection instead of the channel
                if (signal.getReason() instanceof AMQP.Connection.Close close && close.getReplyCode() == AMQP.NOT_ALLOWED) {
                    return new Refusal(close.getReplyCode(), close.getReplyText());
                }
            }
        }
        return null;
    }
}
