package comments.load;

import java.util.Map;

/**
 * The state of a run at one moment.
 *
 * @param second seconds since the load began
 * @param step the step that runs at that moment
 * @param offered requests sent so far
 * @param accepted answers of 202 so far
 * @param persisted comments whose batch is committed so far
 * @param pushed comments that are pushed so far
 * @param waiting requests that wait for a confirm
 * @param queued messages that wait in the queue comments
 * @param p50 the latency percentiles of this second, in milliseconds
 * @param cpuSeconds CPU time of each process so far
 */
record Sample(double second, String step, long offered, long accepted, long persisted, long pushed, long waiting, long queued,
        double p50, double p99, double p999, Map<String, Double> cpuSeconds) {
}
