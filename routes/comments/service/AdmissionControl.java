package comments.service;

import comments.groupcommit.GroupCommit;
import comments.http.HttpEngine;
import comments.http.InvalidRequestException;
import comments.http.RateLimiter;
import comments.observe.PipelineMetrics;
import comments.observe.PipelineMetrics.Refusal;
import comments.rabbitmq.RabbitConnectionFactory;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Refuses a request before any work is done for it, while no comment can be accepted: the broker is not reachable or blocks
 * publishers, or too many requests wait. Throws {@link NotAdmittedException}; never blocks.
 *
 * <p>The HTTP server calls it before it reads the body, and the route calls it after that, because much can change meanwhile.
 */
public class AdmissionControl implements Processor, HttpEngine.Admission {

    /**
     * The request is refused because no comment can be accepted now. The answer is 503.
     *
     * <p>It can be thrown for every request, so it has no stack trace.
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
    private RateLimiter rateLimiter = new RateLimiter();
    private Set<String> endpoints = Set.of();

    /** The methods and paths of the requests that it admits before their bodies are read, separated by commas. */
    public void setEndpoints(String endpoints) {
        this.endpoints = Set.of(endpoints.split("\\s*,\\s*"));
    }

    @Override
    public Set<String> endpoints() {
        return endpoints;
    }

    /** The rate at which a client may post. By default there is no limit. */
    public void setRateLimiter(RateLimiter rateLimiter) {
        this.rateLimiter = rateLimiter;
    }

    /** The connection that comments are published on. When the broker blocks it, all waiting requests fail. */
    public void setConnections(RabbitConnectionFactory connections) {
        this.connections = connections;
        connections.whenBlocked(() -> groupCommit.giveUp());
    }

    /** Where comments wait for their commit. */
    public void setGroupCommit(GroupCommit groupCommit) {
        this.groupCommit = groupCommit;
    }

    @Override
    public void admit(String client) throws InvalidRequestException {
        requireRoom();
        try {
            rateLimiter.charge(client);
        } catch (InvalidRequestException e) {
            PipelineMetrics.refused(Refusal.TOO_MANY);
            throw e;
        }
    }

    @Override
    public void process(Exchange exchange) {
        requireRoom();
    }

    private void requireRoom() {
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
