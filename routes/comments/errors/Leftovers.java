package comments.errors;

import org.apache.camel.Exchange;
import org.apache.camel.spi.ReactiveExecutor;

/**
 * What follows a step that has thrown an Error. Camel leaves it to the thread, as if the step had ended well: the next exchange on that
 * thread would do it, such as publish a comment that nobody has checked.
 */
public final class Leftovers {

    private static final Runnable NOTHING = () -> { };
    // each Error takes what it met out of the queue, but also making room for the next one can fail
    private static final int ATTEMPTS = 100;

    private Leftovers() {
    }

    /**
     * Ends an exchange as failed, on the thread on which a step of it has thrown the Error. Never throws.
     *
     * @param failure not an exception that Camel handles
     */
    public static void fail(Exchange exchange, Throwable failure) {
        ReactiveExecutor executor = exchange.getContext().getCamelContextExtension().getReactiveExecutor();
        exchange.setException(new IllegalStateException("The route failed", failure));
        for (int i = 0; i < ATTEMPTS; i++) {
            try {
                // also runs what was there before
                executor.schedule(NOTHING);
                return;
            } catch (Throwable e) {
                exchange.setException(new IllegalStateException("The route failed", e));
            }
        }
    }
}
