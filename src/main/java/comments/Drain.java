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
 * Ends a process in order, before Camel stops its routes. For {@code HTTP_DRAIN_DELAY}, it is not ready, but still answers requests, and
 * asks clients to use other connections: balancers send requests to other processes then. It refuses new comments, answers waiting requests, and ends the streams.
 * It consumes no more messages, and waits until the consumed ones are written, notified, pushed and acknowledged. Camel closes the
 * channels first, so that no message can be acknowledged, and does not wait for exchanges on the threads of an aggregator.
 *
 * <p>Without the delay, it takes {@value #SECONDS} s at most. In the last second, clients close their connections. The broker redelivers messages that
 * are not settled in this time. If their rows are written already, only their notification is sent again.
 */
public final class Drain extends MainListenerSupport {

    private static final Logger LOG = LoggerFactory.getLogger(CommentPipeline.class);
    /** The limit of its duration, without the delay. */
    static final int SECONDS = 21;
    // a client that doesn't use its open connection in this time may send a request just when it is closed
    private static final Duration LEAVE = Duration.ofSeconds(1);
    private static final Duration SETTLE = Duration.ofSeconds(SECONDS).minus(LEAVE);
    private static final int POLL_MILLIS = 20;

    @Override
    public void beforeStop(BaseMainSupport main) {
        CamelContext context = main.getCamelContext();
        if (context == null || !context.isStarted()) {
            return;
        }
        Duration delay = Duration.ofMillis(Integer.parseInt(StartChecks.setting(context, "HTTP_DRAIN_DELAY")));
        Registry registry = context.getRegistry();
        HttpEngine engine = registry.lookupByNameAndType("platform-http-engine", HttpEngine.class);
        AcknowledgeInOrder batches = registry.lookupByNameAndType("acknowledgeBatch", AcknowledgeInOrder.class);
        SseClients clients = registry.lookupByNameAndType("sseClients", SseClients.class);
        Set<ConsumerGate> gates = registry.findByType(ConsumerGate.class);
        try {
            if (engine.retire() && !delay.isZero()) {
                LOG.info("Ending: answers requests for {} ms, while balancers turn to other processes", delay.toMillis());
                Thread.sleep(delay.toMillis());
            }
            LOG.info("Ending: refuses new requests, and completes accepted comments");
            engine.drain();
            clients.shut();
            gates.forEach(ConsumerGate::shut);
            await(SETTLE, () -> engine.isIdle() && clients.count() == 0 && gates.stream().allMatch(ConsumerGate::isEmpty)
                    && batches.unsettled() == 0);
            engine.stopListening();
            await(LEAVE, () -> !engine.isConnected());
            engine.stop();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Exception e) {
            // no failure may keep the process from ending
            LOG.warn("The drain failed", e);
        }
    }

    private static void await(Duration limit, BooleanSupplier done) throws InterruptedException {
        long end = System.nanoTime() + limit.toNanos();
        while (!done.getAsBoolean() && System.nanoTime() < end) {
            Thread.sleep(POLL_MILLIS);
        }
    }
}
