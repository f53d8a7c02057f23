package comments.service;

import comments.observe.PipelineMetrics.Refusal;
import java.util.concurrent.RejectedExecutionException;

/**
 * A request that is refused since nothing could be promised now: not the client's fault, answered with 503.
 *
 * <p>It is thrown at any rate while things are bad, so it carries no stack trace.
 */
public class NotAdmittedException extends RejectedExecutionException {

    private static final long serialVersionUID = 1L;

    NotAdmittedException(Refusal reason) {
        super(reason.name());
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }
}
