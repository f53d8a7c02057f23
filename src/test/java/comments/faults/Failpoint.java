package comments.faults;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.AsyncCallback;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Processor;
import org.apache.camel.spi.InterceptStrategy;
import org.apache.camel.support.processor.DelegateAsyncProcessor;

/**
 * Holds up the thread that comes to a node of the routes, before or after the node does its work, so that a test can kill
 * the process exactly there. The application knows nothing of it: Camel wraps the node when a bean of this type is there.
 *
 * <p>Written as {@code before:insert-comments:hold:3}: the third exchange at the node is held for good, all others pass.
 * With {@code after:insert-comments:2000:3} it is held for 2000 ms; without the number, the first one; with {@code *} for
 * the number, each one.
 */
public final class Failpoint implements InterceptStrategy {

    /** What the process prints when an exchange is held. */
    static final String REACHED = "Failpoint reached: ";

    private static final String HOLD = "hold";

    private final String text;
    private final boolean before;
    private final String node;
    private final String action;
    private final String which;
    private final AtomicInteger passes = new AtomicInteger();

    private Failpoint(String text, String[] parts) {
        this.text = text;
        before = parts[0].equals("before");
        node = parts[1];
        action = parts[2];
        which = parts.length > 3 ? parts[3] : "1";
    }

    public static Failpoint parse(String text) {
        String[] parts = text.split(":");
        if (parts.length < 3 || !parts[0].matches("before|after") || !parts[2].matches(HOLD + "|\\d+")) {
            throw new IllegalArgumentException("not a failpoint: " + text);
        }
        return new Failpoint(text, parts);
    }

    @Override
    public Processor wrapProcessorInInterceptors(CamelContext context, NamedNode definition, Processor target,
            Processor nextTarget) {
        if (!node.equals(definition.getId())) {
            return target;
        }
        return new DelegateAsyncProcessor(target) {
            @Override
            public boolean process(Exchange exchange, AsyncCallback callback) {
                if (before) {
                    reached();
                    return super.process(exchange, callback);
                }
                return super.process(exchange, doneSync -> {
                    if (!exchange.isFailed()) {
                        reached();
                    }
                    callback.done(doneSync);
                });
            }
        };
    }

    private void reached() {
        int pass = passes.incrementAndGet();
        if (!which.equals("*") && Integer.parseInt(which) != pass) {
            return;
        }
        System.out.println(REACHED + text);
        try {
            if (action.equals(HOLD)) {
                new CountDownLatch(1).await();
            }
            TimeUnit.MILLISECONDS.sleep(Long.parseLong(action));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
