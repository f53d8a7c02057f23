package comments.errors;

import java.util.concurrent.atomic.AtomicReference;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.support.processor.DelegateAsyncProcessor;

/**
 * A step whose Error is a failure of its exchange, so that the error handler of the route meets it. Without this, a step without
 * callback that throws an Error passes for one that ended well.
 */
final class FailingStep extends DelegateAsyncProcessor {

    private enum State { RUNNING, ENDED, LEFT }

    FailingStep(Processor step) {
        super(step);
    }

    @Override
    public boolean process(Exchange exchange, AsyncCallback callback) {
        AtomicReference<State> state = new AtomicReference<>(State.RUNNING);
        // a step that has not returned can still throw: what follows begins only then
        AsyncCallback end = sync -> {
            if (!state.compareAndSet(State.RUNNING, State.ENDED) && state.get() == State.LEFT) {
                callback.done(sync);
            }
        };
        try {
            super.process(exchange, end);
        } catch (Error e) {
            exchange.setException(new IllegalStateException("A step failed", e));
            state.set(State.ENDED);
        }
        if (state.compareAndSet(State.RUNNING, State.LEFT)) {
            return false;
        }
        callback.done(true);
        return true;
    }
}
