package comments.service;

import comments.observe.PipelineMetrics.Refusal;


/**
 * A request that is refused since nothing could be promised now: not the caller's fault, answered with 503.
 *
 * <p>It is thrown at any rate when things are bad, so it carries no stack trace.
 */
public class NotAdmittedException extends Exception {

    private static final long serialVersionUID = 1L;

    private final Refusal reason;

    NotAdmittedException(Refusal reason) {
        super(reason.name(), null, false, false);
        this.reason = reason;
    }

    public Refusal reason() {
        return reason;
    }
}
