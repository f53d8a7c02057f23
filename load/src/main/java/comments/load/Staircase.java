package comments.load;

import io.hyperfoil.api.config.BaseSequenceBuilder;
import io.hyperfoil.api.config.BenchmarkBuilder;
import io.hyperfoil.api.config.PhaseBuilder;
import io.hyperfoil.api.config.SessionLimitPolicy;
import io.hyperfoil.api.session.Session;
import io.hyperfoil.core.impl.LocalSimulationRunner;
import io.hyperfoil.http.api.HttpMethod;
import io.hyperfoil.http.config.HttpPluginBuilder;
import io.hyperfoil.http.steps.HttpRequestStepBuilder;
import io.hyperfoil.http.steps.HttpStepCatalog;
import java.net.URI;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Posts at fixed rates, one after the other, with reads at the same time, independent of the answers: an open model, driven by
 * Hyperfoil. Latency counts from the time when a request is due, so a server that slows the generator down doesn't look fast (no
 * coordinated omission).
 */
final class Staircase {

    private static final int MAX_SESSIONS = 5_000;
    private static final long REQUEST_TIMEOUT_SECONDS = 30;

    private final URI target;
    private final ApiKey key;
    private final int connections;
    private final Bodies bodies;
    private final List<Step> steps;
    private final List<Step> reads;
    private final List<String> paths;
    private int nextPath;

    /**
     * Prepares it.
     *
     * @param reads the reads during each step; empty for none
     * @param paths the paths to read, in turn
     */
    Staircase(URI target, ApiKey key, int connections, Bodies bodies, List<Step> steps, List<Step> reads, List<String> paths) {
        this.target = target;
        this.key = key;
        this.connections = connections;
        this.bodies = bodies;
        this.steps = steps;
        this.reads = reads;
        this.paths = paths;
    }

    /** Runs all steps; returns when the last answer has arrived, or timed out. */
    void climb() {
        BenchmarkBuilder benchmark = BenchmarkBuilder.builder().name("comments").threads(1);
        benchmark.addPlugin(HttpPluginBuilder::new).http().host(target.getHost()).port(target.getPort())
                .sharedConnections(connections).requestTimeout(TimeUnit.SECONDS.toMillis(REQUEST_TIMEOUT_SECONDS)).endHttp();
        for (int i = 0; i < steps.size(); i++) {
            post(phase(benchmark, "step", i, steps.get(i)), steps.get(i));
            if (!reads.isEmpty()) {
                read(phase(benchmark, "reads", i, reads.get(i)), reads.get(i));
            }
        }
        new LocalSimulationRunner(benchmark.build(), null, null, null).run();
    }

    private PhaseBuilder.ConstantRate phase(BenchmarkBuilder benchmark, String name, int i, Step step) {
        PhaseBuilder.ConstantRate phase = benchmark.addPhase(name + i).constantRate(step.rate)
                .duration(TimeUnit.SECONDS.toMillis(step.seconds)).maxSessions(MAX_SESSIONS)
                // a request without a free session is sent late, and its latency includes that
                .sessionLimitPolicy(SessionLimitPolicy.CONTINUE).variance(false);
        if (i > 0) {
            phase.startAfterStrict("step" + (i - 1));
        }
        return phase;
    }

    private void post(PhaseBuilder.ConstantRate phase, Step step) {
        long[] intendedNanos = new long[MAX_SESSIONS];
        withKey(sequence(phase, step, intendedNanos).step(HttpStepCatalog.SC).httpRequest(HttpMethod.POST).path(target.getPath()))
                .headers().header("Content-Type", "application/json").endHeaders()
                .body((session, connection) -> bodies.take())
                .handler().autoRangeCheck(false).status((request, status) -> answered(request.session, status, step, intendedNanos))
                .endHandler().endStep();
    }

    private void read(PhaseBuilder.ConstantRate phase, Step step) {
        long[] intendedNanos = new long[MAX_SESSIONS];
        withKey(sequence(phase, step, intendedNanos).step(HttpStepCatalog.SC).httpRequest(HttpMethod.GET)
                .path(session -> paths.get(nextPath++ % paths.size())))
                .handler().autoRangeCheck(false).status((request, status) -> answered(request.session, status, step, intendedNanos))
                .endHandler().endStep();
    }

    private HttpRequestStepBuilder withKey(HttpRequestStepBuilder request) {
        key.headers().forEach((name, value) -> request.headers().header(name, value).endHeaders());
        return request;
    }

    private static void answered(Session session, int status, Step step, long[] intendedNanos) {
        step.answered(status, System.nanoTime() - intendedNanos[session.uniqueId() % MAX_SESSIONS]);
    }

    // by session: Hyperfoil numbers the sessions of a phase from 0
    private static BaseSequenceBuilder<?> sequence(PhaseBuilder.ConstantRate phase, Step step, long[] intendedNanos) {
        return phase.scenario().initialSequence("request")
                .step(session -> {
                    long now = System.nanoTime();
                    if (step.sent == 0) {
                        long sinceStart = System.currentTimeMillis() - session.phase().absoluteStartTime();
                        step.startedNanos = now - TimeUnit.MILLISECONDS.toNanos(sinceStart);
                    }
                    // the generator's clock ticks in milliseconds, so it may also be early
                    intendedNanos[session.uniqueId() % MAX_SESSIONS] = Math.min(now, step.intendedNanos(step.sent++));
                    return true;
                });
    }
}
