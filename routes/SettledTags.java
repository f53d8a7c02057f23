package comments;

import java.util.HashSet;
import java.util.Set;

/**
 * The delivery tags of one channel that are settled, and how far the unbroken run of them reaches. Tags count from 1
 * without gaps (AMQP 0-9-1, basic.deliver).
 *
 * <p>Not safe for several threads at once.
 */
final class SettledTags {

    private final Set<Long> waiting = new HashSet<>();
    private long top;

    /** Marks a tag as settled. A tag that was settled before changes nothing. */
    void settle(long tag) {
        if (tag > top) {
            waiting.add(tag);
        }
    }

    /**
     * Takes what can be acknowledged now.
     *
     * @return the highest tag of which all tags up to it are settled, or 0 if that is no higher than last time
     */
    long advance() {
        long before = top;
        while (waiting.remove(top + 1)) {
            top++;
        }
        return top == before ? 0 : top;
    }
}
