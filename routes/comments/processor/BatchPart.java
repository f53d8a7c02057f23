package comments.processor;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.List;
import java.util.Map;

/**
 * Neighbouring messages or comments of a batch, which are inserted by one statement. Belongs to the thread that writes the
 * batch.
 *
 * <p>No method but a private one may have an Exception, or anything else that Camel fills in, for a parameter: Camel's
 * bean language would then keep each instance in a cache, with all of its batch.
 */
public final class BatchPart {

    private static final char REPLACEMENT = '\uFFFD';

    private final CommentBatch batch;
    private final int from;
    private final int to;

    BatchPart(CommentBatch batch, int from, int to) {
        this.batch = batch;
        this.from = from;
        this.to = to;
    }

    /**
     * The parameters of the statement in insert-comments.sql, quarantine-differing.sql or apply-changes.sql. Asking for them starts the time of
     * the insert.
     *
     * @throws CharacterCodingException if it isn't UTF-8, which PostgreSQL would only see replaced
     */
    public Map<String, Object> parameters() throws CharacterCodingException {
        batch.startInsert();
        batch.leaveOutNone(from, to);
        byte[] json = batch.json(from, end());
        String comments = new String(json, StandardCharsets.UTF_8);
        if (comments.indexOf(REPLACEMENT) >= 0) {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(json));
        }
        return Map.of("batch", comments);
    }

    // Camel tries the whole again as it was at first, when the batch may have been taken apart since.
    private int end() {
        return Math.min(to, batch.bodies().size());
    }

    /** How many comments this inserts: those that were taken out of the batch don't count. */
    public int comments() {
        return batch.good(from, end());
    }

    /** Whether this is one comment, and nothing is left to take apart. */
    public boolean isSingle() {
        return batch.isApart() && end() - from == 1;
    }

    /** What this falls into: at first the single comments, as one part, then always two halves. */
    public List<BatchPart> parts() {
        if (!batch.isApart()) {
            batch.takeApart();
            return List.of(batch.whole());
        }
        int middle = (from + end()) / 2;
        return List.of(new BatchPart(batch, from, middle), new BatchPart(batch, middle, end()));
    }

    /**
     * Leaves comments out of the notification. They stay in the batch, which is taken apart for that.
     *
     * @param places of the comments in the JSON array that {@link #parameters} has, from 1
     */
    void leaveOut(BitSet places) {
        if (!batch.isApart()) {
            batch.takeApart();
        }
        batch.leaveOut(from, end(), places);
    }

    /** Takes this single comment out of its batch. */
    void reject(Throwable reason) {
        batch.reject(from, reason);
    }
}
