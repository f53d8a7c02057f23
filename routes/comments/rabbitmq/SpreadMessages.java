package comments.rabbitmq;

import java.time.Duration;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.component.springrabbit.SpringRabbitMQConstants;
import org.apache.camel.support.SynchronizationAdapter;

/**
 * Spreads messages over several queues: each message goes to one queue, that with the fewest messages which are not confirmed, in turn
 * among equals. With one queue, the route names it. A queue that did not confirm a message, such as one whose leader is away, gets none for
 * {@value #PAUSE_SECONDS} s while another does. A message itself is never sent to a second queue: it may be in the first. A queue that could
 * not be declared gets none.
 *
 * <p>Any number of threads may call it.
 */
public class SpreadMessages implements Processor {

    private static final int PAUSE_SECONDS = 5;
    private static final long PAUSE_NANOS = Duration.ofSeconds(PAUSE_SECONDS).toNanos();

    /** A queue; guarded by the list of all. */
    private static final class Target {

        private final String queue;
        private int underWay;
        private boolean failed;
        private long failedAt;

        Target(String queue) {
            this.queue = queue;
        }

        boolean isPaused(long now) {
            return failed && now - failedAt < PAUSE_NANOS;
        }
    }

    private SpreadConnectionFactory connections;
    private List<Target> targets = List.of();
    private int next;

    /** The connection whose queues are used. */
    public void setConnections(SpreadConnectionFactory connections) {
        this.connections = connections;
        targets = connections.queues().stream().map(Target::new).toList();
    }

    @Override
    public void process(Exchange exchange) {
        if (targets.size() == 1) {
            return;
        }
        Target target = take();
        exchange.getMessage().setHeader(SpringRabbitMQConstants.ROUTING_OVERRIDE_KEY, target.queue);
        exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
            @Override
            public void onComplete(Exchange sent) {
                give(target, false);
            }

            @Override
            public void onFailure(Exchange sent) {
                give(target, true);
            }
        });
    }

    private Target take() {
        synchronized (targets) {
            long now = System.nanoTime();
            Target best = null;
            for (int i = 0; i < targets.size(); i++) {
                Target each = targets.get((next + i) % targets.size());
                // never the first queue: without it, there is no connection
                if (connections.refusal(each.queue) != null) {
                    continue;
                }
                if (best == null || best.isPaused(now) && !each.isPaused(now)
                        || best.isPaused(now) == each.isPaused(now) && each.underWay < best.underWay) {
                    best = each;
                }
            }
            next = (targets.indexOf(best) + 1) % targets.size();
            best.underWay++;
            return best;
        }
    }

    private void give(Target target, boolean failed) {
        synchronized (targets) {
            target.underWay--;
            target.failed = failed;
            target.failedAt = System.nanoTime();
        }
    }

    /** The queues that did not confirm their last message. */
    List<String> failing() {
        synchronized (targets) {
            return targets.stream().filter(target -> target.failed).map(target -> target.queue).toList();
        }
    }
}
