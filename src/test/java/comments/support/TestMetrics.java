package comments.support;

import io.micrometer.core.instrument.Metrics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;

/**
 * What all pipelines of this JVM have counted since this class was first asked. The registry of a pipeline ends with it, and Micrometer's global one
 * counts as any one of those that are there.
 */
public final class TestMetrics {

    private static final SimpleMeterRegistry ALL = new SimpleMeterRegistry();

    static {
        Metrics.addRegistry(ALL);
    }

    private TestMetrics() {
    }

    /**
     * The value of a counter.
     *
     * @param tags keys and values
     */
    public static double count(String counter, String... tags) {
        return ALL.counter(counter, tags).count();
    }

    /** How many times a timer has recorded. */
    public static long times(String timer) {
        return ALL.timer(timer).count();
    }
}
