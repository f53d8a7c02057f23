package comments.faults;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;

/**
 * One request of the workload, and what came of it.
 *
 * @param at when it was sent
 * @param took how long the answer, or the failure, took
 * @param key its Idempotency-Key, or null
 * @param comments what it carried
 * @param status the HTTP status, or 0 without an answer
 * @param ids the ids that were answered
 * @param note what else is to be known: a problem's detail, or an exception
 */
record Attempt(Instant at, Duration took, String key, List<Posted> comments, Outcome outcome, int status, List<UUID> ids,
        String note) {

    enum Outcome {
        /** 202: promised. */
        OK,
        /** Certainly not taken: 4xx, no connection, or a 503 that says that nothing was accepted. */
        REFUSED,
        /** Perhaps taken: another 503, a time-out, a broken connection. */
        UNKNOWN
    }

    Instant ended() {
        return at.plus(took);
    }

    /** Short, for messages: the history has it all. */
    @Override
    public String toString() {
        return "%s, %d comments, %s %d after %d ms, %s"
                .formatted(at, comments.size(), outcome, status, took.toMillis(), note);
    }
}
