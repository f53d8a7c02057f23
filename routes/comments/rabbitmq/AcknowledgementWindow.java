package comments.rabbitmq;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;

/**
 * The messages of one channel that were received and are not acknowledged yet: which of them are settled, how far the
 * unbroken run of settled ones reaches, and how long the oldest has been waiting. Delivery tags count from 1 without gaps
 * (AMQP 0-9-1, basic.deliver).
 *
 * <p>Not safe for several threads at once.
 */
public final class AcknowledgementWindow {

    private final Deque<Long> receivedNanos = new ArrayDeque<>();
    private final Set<Long> settled = new HashSet<>();
    // those of the settled tags that are acknowledged already
    private final Set<Long> alone = new HashSet<>();
    private long acknowledged;

    /** Notes that the next message of the channel is here. */
    void received(long nanoTime) {
        receivedNanos.add(nanoTime);
    }

    /** Marks a tag as settled. A tag that was settled before changes nothing. */
    void settle(long tag) {
        if (tag > acknowledged) {
            settled.add(tag);
        }
    }

    /** Marks a tag as settled, and as acknowledged by itself. Returns false if it was settled before. */
    boolean settleAlone(long tag) {
        return tag > acknowledged && settled.add(tag) && alone.add(tag);
    }

    /**
     * Takes what can be acknowledged now.
     *
     * @return the highest tag of which all tags up to it are settled, and which isn't acknowledged by itself; 0 if that is no
     *     higher than last time
     */
    long advance() {
        long upTo = 0;
        while (settled.remove(acknowledged + 1)) {
            acknowledged++;
            receivedNanos.poll();
            if (!alone.remove(acknowledged)) {
                upTo = acknowledged;
            }
        }
        return upTo;
    }

    /** How many messages are not acknowledged. */
    int size() {
        return receivedNanos.size();
    }

    /** When the oldest of them was received, by {@link System#nanoTime}, or null if there is none. */
    Long oldestNanos() {
        return receivedNanos.peek();
    }
}
