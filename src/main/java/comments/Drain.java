package comments;

import comments.http.HttpEngine;
import comments.http.SseClients;
import comments.rabbitmq.AcknowledgeInOrder;
import comments.rabbitmq.ConsumerGate;
import java.time.Duration;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.apache.camel.CamelContext;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.MainListenerSupport;
import org.apache.camel.spi.Registry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends a process in order, before Camel stops its routes: refuses new comments, answers those that wait, and sends those away
 * who listen; takes no more messages, and lets what was taken be written, notified, pushed and acknowledged. Camel itself closes
 * the channels first, so that nothing can be acknowledged any more, and does not wait for what an aggregator has handed to its
 * threads.
 *
 * <p>It takes {@value #SECONDS} s at most: the last one is for callers to go. The broker delivers again what could not be
 * settled in this time; its rows may be there, and then its notification is sent again.
 */
public final class Drain extends MainListenerSupport {

    private static final Logger LOG = LoggerFactory.getLogger(CommentPipeline.class);
    /** How long it takes at most. */
    static final int SECONDS = 21;
    // a caller who keeps a connection and doesn't use it in this time may send on it just when it is closed
    private static final Duration LEAVE = Duration.ofSeconds(1);
    private static final Duration SETTLE = Duration.ofSeconds(SECONDS).minus(LEAVE);
    private static final int POLL_MILLIS = 20;

    @Override
    public void beforeStop(BaseMainSupport main) {
        CamelContext context = main.getCamelContext();
        if (context == null || !context.isStarted()) {
            return;
        }
        LOG.info("Ending: nothing is accepted any more, and what is under way comes to its end");
        Registry registry = context.getRegistry();
        HttpEngine engine = registry.lookupByNameAndType("platform-http-engine", HttpEngine.class);
        AcknowledgeInOrder batches = registry.lookupByNameAndType("acknowledgeBatch", AcknowledgeInOrder.class);
        SseClients listeners = registry.lookupByNameAndType("sseClients", SseClients.class);
        Set<ConsumerGate> intakes = registry.findByType(ConsumerGate.class);
        try {
            engine.drain();
            listeners.shut();
            intakes.forEach(ConsumerGate::shut);
            await(SETTLE, () -> engine.isIdle() && listeners.count() == 0 && intakes.stream().allMatch(ConsumerGate::isEmpty)
                    && batches.unsettled() == 0);
            engine.stopListening();
            await(LEAVE, () -> !engine.isConnected());
            engine.stop();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Exception e) {
            // whatever it is, it must not keep the process from ending
            LOG.warn("The drain broke off", e);
        }
    }

    private static void await(Duration most, BooleanSupplier done) throws InterruptedException {
        long end = System.nanoTime() + most.toNanos();
        while (!done.getAsBoolean() && System.nanoTime() < end) {
            Thread.sleep(POLL_MILLIS);
        }
    }
}
