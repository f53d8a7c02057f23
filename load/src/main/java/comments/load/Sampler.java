package comments.load;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** Takes a {@link Sample} each second, on its own thread, and prints it. */
final class Sampler implements AutoCloseable {

    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
    private final List<Sample> samples = new ArrayList<>();
    private final Pipeline pipeline;
    private final List<Step> steps;
    private final Map<String, Double> baseline;
    private final long startedNanos = System.nanoTime();

    Sampler(Pipeline pipeline, List<Step> steps) throws Exception {
        this.pipeline = pipeline;
        this.steps = steps;
        this.baseline = pipeline.metrics();
        clock.scheduleAtFixedRate(this::sample, 1, 1, TimeUnit.SECONDS);
    }

    private void sample() {
        try {
            Map<String, Double> metrics = pipeline.metrics();
            Step step = current();
            Histogram second = step.currentSecond;
            step.currentSecond = new Histogram(second.getHighestTrackableValue(), 3);
            Sample sample = new Sample((System.nanoTime() - startedNanos) / 1e9, step.name(),
                    steps.stream().mapToLong(s -> s.sent).sum(), steps.stream().mapToLong(s -> s.accepted).sum(),
                    since(metrics, "comments_persisted_total"), since(metrics, "comments_pushed_total"),
                    metrics.getOrDefault("comments_waiting", 0.0).longValue(), pipeline.queued("comments"),
                    second.getValueAtPercentile(50) / 1e6, second.getValueAtPercentile(99) / 1e6,
                    second.getValueAtPercentile(99.9) / 1e6, pipeline.cpuSeconds(metrics));
            print(sample, samples.isEmpty() ? null : samples.get(samples.size() - 1));
            synchronized (samples) {
                samples.add(sample);
            }
        } catch (Exception e) {
            System.err.println("no sample: " + e);
        }
    }

    private long since(Map<String, Double> metrics, String name) {
        return (long) (metrics.getOrDefault(name, 0.0) - baseline.getOrDefault(name, 0.0));
    }

    private Step current() {
        Step current = steps.get(0);
        for (Step step : steps) {
            if (step.sent > 0) {
                current = step;
            }
        }
        return current;
    }

    private static void print(Sample now, Sample before) {
        double seconds = before == null ? now.second() : now.second() - before.second();
        System.out.printf("%4.0f s  %-16s accepted %6.0f/s  persisted %6.0f/s  pushed %6.0f/s  p50 %7.1f ms  p99 %7.1f ms  waiting %5d  queued %6d%n",
                now.second(), now.step(), (now.accepted() - (before == null ? 0 : before.accepted())) / seconds,
                (now.persisted() - (before == null ? 0 : before.persisted())) / seconds,
                (now.pushed() - (before == null ? 0 : before.pushed())) / seconds, now.p50(), now.p99(), now.waiting(), now.queued());
    }

    /** The samples so far. */
    List<Sample> samples() {
        synchronized (samples) {
            return List.copyOf(samples);
        }
    }

    @Override
    public void close() throws InterruptedException {
        clock.shutdown();
        clock.awaitTermination(10, TimeUnit.SECONDS);
    }
}
