package comments.reader;

import java.nio.ByteBuffer;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.UUID;

/**
 * A position in a list of comments, newest first: the next page begins after this comment.
 *
 * <p>Clients send its text back. The text is base64url of PostgreSQL's binary forms: microseconds since 2000, where the largest
 * and the smallest value stand for infinity, and then the id.
 *
 * @param acceptedAt when the comment was accepted; the latest and the earliest time stand for infinity
 */
record PageCursor(OffsetDateTime acceptedAt, UUID id) {

    /** Before all comments: the start of the first page. */
    static final PageCursor START = new PageCursor(OffsetDateTime.MAX, new UUID(-1, -1));

    private static final OffsetDateTime EPOCH = OffsetDateTime.of(2000, 1, 1, 0, 0, 0, 0, ZoneOffset.UTC);
    private static final int BYTES = 3 * Long.BYTES;
    // the range of timestamptz: from 4714-11-24 BC to 294276-12-31
    private static final long EARLIEST = -211_813_488_000_000_000L;
    private static final long LATEST = 9_223_371_331_199_999_999L;

    /** The text of this cursor. */
    String text() {
        return Base64.getUrlEncoder().encodeToString(ByteBuffer.allocate(BYTES).putLong(micros(acceptedAt))
                .putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits()).array());
    }

    private static long micros(OffsetDateTime time) {
        return time.equals(OffsetDateTime.MAX) ? Long.MAX_VALUE : time.equals(OffsetDateTime.MIN) ? Long.MIN_VALUE
                : ChronoUnit.MICROS.between(EPOCH, time);
    }

    /**
     * Reads the text of a cursor.
     *
     * @throws IllegalArgumentException if it is not one
     */
    static PageCursor parse(String text) {
        ByteBuffer bytes = ByteBuffer.wrap(Base64.getUrlDecoder().decode(text));
        if (bytes.remaining() != BYTES) {
            throw new IllegalArgumentException("a cursor has " + BYTES + " bytes");
        }
        return new PageCursor(time(bytes.getLong()), new UUID(bytes.getLong(), bytes.getLong()));
    }

    private static OffsetDateTime time(long micros) {
        if (micros == Long.MAX_VALUE) {
            return OffsetDateTime.MAX;
        }
        if (micros == Long.MIN_VALUE) {
            return OffsetDateTime.MIN;
        }
        if (micros < EARLIEST || micros > LATEST) {
            throw new IllegalArgumentException("the time is out of range");
        }
        return EPOCH.plus(micros, ChronoUnit.MICROS);
    }
}
