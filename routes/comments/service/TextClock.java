package comments.service;

import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.util.function.LongSupplier;

/**
 * A clock with the time as text of a fixed length: ISO 8601, UTC, to the millisecond. It formats each millisecond once. At
 * 20,000 comments a second, formatting each time took a sixth of the time that a comment's JSON took. Any number of threads
 * may call it.
 */
public final class TextClock {

    private record Millisecond(long millis, String text) {
    }

    private static final DateTimeFormatter MILLIS = new DateTimeFormatterBuilder().appendInstant(3).toFormatter();

    private final LongSupplier millis;
    private volatile Millisecond last = new Millisecond(Long.MIN_VALUE, "");

    public TextClock() {
        this(System::currentTimeMillis);
    }

    TextClock(LongSupplier millis) {
        this.millis = millis;
    }

    String now() {
        long now = millis.getAsLong();
        Millisecond before = last;
        if (before.millis() == now) {
            return before.text();
        }
        Millisecond current = new Millisecond(now, MILLIS.format(Instant.ofEpochMilli(now)));
        last = current;
        return current.text();
    }
}
