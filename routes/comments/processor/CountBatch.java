package comments.processor;

import comments.model.Comment;
import comments.observe.PipelineMetrics;
import comments.observe.Traces;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Counts a batch that is committed, and how long its comments took from the edge to here. */
public class CountBatch implements Processor {

    private static final byte[] ACCEPTED_AT = "\"acceptedAt\":\"".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] IMPORTED = ("\"" + Comment.IMPORTED + "\":true").getBytes(StandardCharsets.US_ASCII);
    // other producers may write the year 1 or 9999 where they have no time, which a number of nanoseconds can't say
    private static final Duration LONGEST = Duration.ofDays(366);
    private static final int TIME_LENGTH = "2026-11-22T15:00:00.123Z".length();

    private Traces traces;

    /** What follows the comments, if anything does. */
    public void setTraces(Traces traces) {
        this.traces = traces.ifEnabled();
    }

    @Override
    public void process(Exchange exchange) {
        CommentBatch batch = exchange.getProperty(CommentBatch.PROPERTY, CommentBatch.class);
        long nanos = System.nanoTime() - batch.insertStartedNanos();
        PipelineMetrics.inserted(batch.comments(), nanos);
        if (traces != null) {
            traces.written(batch.requests(), batch.comments(), nanos);
        }
        Instant now = Instant.now();
        for (byte[] body : batch.bodies()) {
            Instant acceptedAt = firstAcceptedAt(body);
            Duration took = acceptedAt == null ? LONGEST : Duration.between(acceptedAt, now);
            if (took.abs().compareTo(LONGEST) < 0) {
                PipelineMetrics.committed(took);
            }
        }
    }

    /**
     * When the first comment of a message that is not imported was accepted, or null if the message doesn't say so as our edge
     * does. Looks for the field without reading the JSON: in a JSON string these quotes would be escaped.
     */
    static Instant firstAcceptedAt(byte[] body) {
        boolean imported = false;
        for (int i = 0; i + ACCEPTED_AT.length + TIME_LENGTH <= body.length; i++) {
            if (body[i] == '"' && isAt(body, i, IMPORTED)) {
                imported = true;
            } else if (body[i] == '"' && isAt(body, i, ACCEPTED_AT)) {
                if (imported) {
                    imported = false;
                    continue;
                }
                try {
                    return Instant.parse(new String(body, i + ACCEPTED_AT.length, TIME_LENGTH, StandardCharsets.US_ASCII));
                } catch (DateTimeException e) {
                    return null;
                }
            }
        }
        return null;
    }

    private static boolean isAt(byte[] body, int from, byte[] field) {
        for (int i = 0; i < field.length; i++) {
            if (body[from + i] != field[i]) {
                return false;
            }
        }
        return true;
    }
}
