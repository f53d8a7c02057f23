package comments;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.MainListenerSupport;
import org.apache.camel.spi.Registry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends a process in order, before Camel stops its routes: refuses new comments, answers those that wait, and lets the batches
 * that are being written come to their end. Camel itself does not wait for what an aggregator has handed to its threads.
 *
 * <p>It takes {@value #SECONDS} s at most. The broker delivers again what was not acknowledged when consuming ended; its rows
 * are there, and its notification is sent again.
 */
final class Drain extends MainListenerSupport {

    private static final Logger LOG = LoggerFactory.getLogger(Drain.class);
    private static final int SECONDS = 20;
    private static final int POLL_MILLIS = 20;
    private static final String PROCESSOR = "comment-job-processor";

    @Override
    public void beforeStop(BaseMainSupport main) {
        CamelContext context = main.getCamelContext();
        if (context == null || !context.isStarted()) {
            return;
        }
        Registry registry = context.getRegistry();
        registry.lookupByNameAndType("admitComment", AdmitComment.class).close();
        HttpEngine engine = registry.lookupByNameAndType("platform-http-engine", HttpEngine.class);
        engine.drain();
        BatchWriters writers = registry.lookupByNameAndType("batchWriters", BatchWriters.class);
        try {
            long end = System.nanoTime() + Duration.ofSeconds(SECONDS).toNanos();
            if (context.getRoute(PROCESSOR) != null) {
                context.getRouteController().suspendRoute(PROCESSOR, SECONDS / 2, TimeUnit.SECONDS);
            }
            while ((!engine.isIdle() || !writers.isIdle()) && System.nanoTime() < end) {
                Thread.sleep(POLL_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Exception e) {
            // whatever it is, it must not keep the process from ending
            LOG.warn("The drain broke off", e);
        }
    }
}
