package comments.service;

import comments.groupcommit.GroupCommit;
import comments.observe.PipelineMetrics;
import comments.observe.PipelineMetrics.Refusal;
import comments.rabbitmq.RabbitConnectionFactory;
import java.util.concurrent.RejectedExecutionException;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Refuses a request before any work is done for it, when its comment could not be promised anyway: the broker is away or
 * takes no messages, or too many requests wait. Throws {@link NotAdmittedException}; never blocks.
 */
public class AdmissionControl implements Processor {

    /**
     * A request that is refused since nothing could be promised now: not the client's fault, answered with 503.
     *
     * <p>It is thrown at any rate while things are bad, so it carries no stack trace.
     */
    static final class NotAdmittedException extends RejectedExecutionException {

        private static final long serialVersionUID = 1L;

        NotAdmittedException(Refusal reason) {
            super(reason.name());
        }

        @Override
        public synchronized Throwable fillInStackTrace() {
            return this;
        }
    }


    private RabbitConnectionFactory connections;
    private GroupCommit groupCommit;

    /** The connection that comments are published on. Requests that wait are given up when the broker blocks it. */
    public void setConnections(RabbitConnectionFactory connections) {
        this.connections = connections;
        connections.whenBlocked(() -> groupCommit.giveUp());
    }

    /** Where comments wait for their commit. */
    public void setGroupCommit(GroupCommit groupCommit) {
        this.groupCommit = groupCommit;
    }

    @Override
    public void process(Exchange exchange) throws NotAdmittedException {
        if (!connections.isUsable()) {
            throw refusal(Refusal.BROKER_AWAY);
        }
        if (!groupCommit.hasRoom()) {
            throw refusal(Refusal.FULL);
        }
    }

    private static NotAdmittedException refusal(Refusal reason) {
        PipelineMetrics.refused(reason);
        return new NotAdmittedException(reason);
    }
}
