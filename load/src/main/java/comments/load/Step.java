package comments.load;

import org.HdrHistogram.Histogram;

/**
 * One stair: a rate held for a time, and what came of it. The generator's thread writes the counts while others read them,
 * for progress only; they are exact when the stair is over.
 */
final class Step {

    /** Latencies are kept to three digits, up to this many nanoseconds. */
    private static final long LONGEST_NANOS = 120_000_000_000L;

    final int rate;
    final int seconds;
    final boolean warmUp;
    final Histogram latency = new Histogram(LONGEST_NANOS, 3);
    volatile Histogram currentSecond = new Histogram(LONGEST_NANOS, 3);
    volatile long startedNanos;
    volatile long sent;
    volatile long accepted;
    volatile long refused;
    volatile long otherwise;

    Step(int rate, int seconds, boolean warmUp) {
        this.rate = rate;
        this.seconds = seconds;
        this.warmUp = warmUp;
    }

    String name() {
        return (warmUp ? "warm-up " : "") + rate + "/s";
    }

    /** When the n-th request, counted from 0, was meant to be sent. */
    long intendedNanos(long n) {
        return startedNanos + Math.round(n * 1e9 / rate);
    }

    void answered(int status, long nanos) {
        latency.recordValue(Math.min(nanos, LONGEST_NANOS));
        currentSecond.recordValue(Math.min(nanos, LONGEST_NANOS));
        if (status == 202) {
            accepted++;
        } else if (status == 503 || status == 429) {
            refused++;
        } else {
            otherwise++;
        }
    }

    /** Requests that the rate asked for and that could not be sent in time, since too many others were under way. */
    long unsent() {
        return Math.max(0, (long) rate * seconds - sent);
    }

    /** Requests that got no answer: nobody knows what became of their comments. */
    long unanswered() {
        return sent - accepted - refused - otherwise;
    }

    double millis(double percentile) {
        return latency.getValueAtPercentile(percentile) / 1e6;
    }
}
