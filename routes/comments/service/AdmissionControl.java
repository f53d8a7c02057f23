package comments.service;

import comments.groupcommit.GroupCommit;
import comments.observe.PipelineMetrics;
import comments.observe.PipelineMetrics.Refusal;
import comments.rabbitmq.RabbitConnectionFactory;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Refuses a request before any work is done for it, when its comment could not be promised anyway: the broker is away or
 * takes no messages, or too many requests wait. Throws {@link NotAdmittedException}; never blocks.
 */
public class AdmissionControl implements Processor {

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
