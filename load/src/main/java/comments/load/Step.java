package comments.load;

import org.HdrHistogram.Histogram;

/**
 * One step: a rate of posts or of reads for a time, and its results. The generator's thread writes the counts. Other threads read
 * them for progress; they are exact after the step.
 */
final class Step {

    /** Latencies are kept to three digits, up to this many nanoseconds. */
    private static final long MAX_NANOS = 120_000_000_000L;

    final int rate;
    final int seconds;
    final boolean warmUp;
    private final int success;
    final Histogram latency = new Histogram(MAX_NANOS, 3);
    volatile Histogram currentSecond = new Histogram(MAX_NANOS, 3);
    volatile long startedNanos;
    volatile long sent;
    volatile long accepted;
    volatile long refused;
    volatile long otherwise;

    private Step(int rate, int seconds, boolean warmUp, int success) {
        this.rate = rate;
        this.seconds = seconds;
        this.warmUp = warmUp;
        this.success = success;
    }

    /** Posts, of which each should be answered with 202. */
    static Step posts(int rate, int seconds, boolean warmUp) {
        return new Step(rate, seconds, warmUp, 202);
    }

    /** Reads at the same time as a step of posts, of which each should be answered with 200. */
    Step withReads(int rate) {
        return new Step(rate, seconds, warmUp, 200);
    }

    String name() {
        return (warmUp ? "warm-up " : "") + rate + "/s";
    }

    /** When the n-th request, counted from 0, is due. */
    long intendedNanos(long n) {
        return startedNanos + Math.round(n * 1e9 / rate);
    }

    void answered(int status, long nanos) {
        latency.recordValue(Math.min(nanos, MAX_NANOS));
        currentSecond.recordValue(Math.min(nanos, MAX_NANOS));
        if (status == success) {
            accepted++;
        } else if (status == 503 || status == 429) {
            refused++;
        } else {
            otherwise++;
        }
    }

    /** Requests that were due and could not be sent in time, because too many requests were open. */
    long unsent() {
        return Math.max(0, (long) rate * seconds - sent);
    }

    /** Requests without an answer: their comments may be accepted or not. */
    long unanswered() {
        return sent - accepted - refused - otherwise;
    }

    double millis(double percentile) {
        return latency.getValueAtPercentile(percentile) / 1e6;
    }
}
