package comments.reader;

import java.nio.ByteBuffer;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.UUID;

/**
 * A place in a list of comments, newest first: the next page begins after this comment.
 *
 * <p>Its text, which the database writes and callers hand back, is base64url of the binary forms of PostgreSQL: microseconds
 * since 2000, of which the most and the least stand for infinity, and then the id.
 *
 * @param acceptedAt when the comment was accepted; the latest and the earliest time stand for infinity
 */
record PageCursor(OffsetDateTime acceptedAt, UUID id) {

    /** Before all comments: where the first page begins. */
    static final PageCursor START = new PageCursor(OffsetDateTime.MAX, new UUID(-1, -1));

    private static final OffsetDateTime EPOCH = OffsetDateTime.of(2000, 1, 1, 0, 0, 0, 0, ZoneOffset.UTC);
    private static final int BYTES = 3 * Long.BYTES;
    // what a timestamptz can hold: from 4714-11-24 BC to 294276-12-31
    private static final long EARLIEST = -211_813_488_000_000_000L;
    private static final long LATEST = 9_223_371_331_199_999_999L;

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
            throw new IllegalArgumentException("there is no such time");
        }
        return EPOCH.plus(micros, ChronoUnit.MICROS);
    }
}
