package comments;

import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Refuses a request before any work is done for it, when its comment could not be promised anyway: the broker is away or
 * takes nothing, or there is no room to wait. Throws {@link NotAdmitted}; never blocks.
 */
public class AdmitComment implements Processor {

    private RabbitConnections connections;
    private GroupCommit groupCommit;

    /** The connection that comments are published on. Those who wait already are given up when the broker blocks it. */
    public void setConnections(RabbitConnections connections) {
        this.connections = connections;
        connections.whenBlocked(() -> groupCommit.giveUp());
    }

    /** Where comments wait for their commit. */
    public void setGroupCommit(GroupCommit groupCommit) {
        this.groupCommit = groupCommit;
    }

    @Override
    public void process(Exchange exchange) throws NotAdmitted {
        if (!connections.isUsable()) {
            throw new NotAdmitted(PipelineMetrics.Refusal.BROKER_AWAY);
        }
        if (!groupCommit.hasRoom()) {
            throw new NotAdmitted(PipelineMetrics.Refusal.FULL);
        }
    }
}
