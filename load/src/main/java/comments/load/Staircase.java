package comments.load;

import io.hyperfoil.api.config.BenchmarkBuilder;
import io.hyperfoil.api.config.PhaseBuilder;
import io.hyperfoil.api.config.SessionLimitPolicy;
import io.hyperfoil.core.impl.LocalSimulationRunner;
import io.hyperfoil.http.api.HttpMethod;
import io.hyperfoil.http.config.HttpPluginBuilder;
import io.hyperfoil.http.steps.HttpStepCatalog;
import java.net.URI;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Posts at fixed rates, one after the other, whatever the answers do: an open model, driven by Hyperfoil. Latency is counted
 * from when a request was meant to be sent, so a server that holds the generator up doesn't look fast (no coordinated
 * omission).
 */
final class Staircase {

    private static final int MAX_SESSIONS = 5_000;
    private static final long REQUEST_TIMEOUT_SECONDS = 30;

    private final URI target;
    private final int connections;
    private final Bodies bodies;
    private final List<Step> steps;
    // by session: Hyperfoil numbers those of a phase from 0
    private final long[] intendedNanos = new long[MAX_SESSIONS];

    Staircase(URI target, int connections, Bodies bodies, List<Step> steps) {
        this.target = target;
        this.connections = connections;
        this.bodies = bodies;
        this.steps = steps;
    }

    /** Runs all steps; returns when the last answer is there, or timed out. */
    void climb() {
        BenchmarkBuilder benchmark = BenchmarkBuilder.builder().name("comments").threads(1);
        benchmark.addPlugin(HttpPluginBuilder::new).http().host(target.getHost()).port(target.getPort())
                .sharedConnections(connections).requestTimeout(TimeUnit.SECONDS.toMillis(REQUEST_TIMEOUT_SECONDS)).endHttp();
        String before = null;
        for (int i = 0; i < steps.size(); i++) {
            String name = "step" + i;
            PhaseBuilder.ConstantRate phase = benchmark.addPhase(name).constantRate(steps.get(i).rate)
                    .duration(TimeUnit.SECONDS.toMillis(steps.get(i).seconds)).maxSessions(MAX_SESSIONS)
                    // one more request than sessions is sent late, and its latency says so
                    .sessionLimitPolicy(SessionLimitPolicy.CONTINUE).variance(false);
            if (before != null) {
                phase.startAfterStrict(before);
            }
            post(phase, steps.get(i));
            before = name;
        }
        new LocalSimulationRunner(benchmark.build(), null, null, null).run();
    }

    private void post(PhaseBuilder.ConstantRate phase, Step step) {
        phase.scenario().initialSequence("post")
                .step(session -> {
                    long now = System.nanoTime();
                    if (step.sent == 0) {
                        long sinceStart = System.currentTimeMillis() - session.phase().absoluteStartTime();
                        step.startedNanos = now - TimeUnit.MILLISECONDS.toNanos(sinceStart);
                    }
                    // the generator's clock ticks in milliseconds: it may be early, too
                    intendedNanos[session.uniqueId() % MAX_SESSIONS] = Math.min(now, step.intendedNanos(step.sent++));
                    return true;
                })
                .step(HttpStepCatalog.SC).httpRequest(HttpMethod.POST).path(target.getPath())
                .headers().header("Content-Type", "application/json").endHeaders()
                .body((session, connection) -> bodies.take())
                .handler().autoRangeCheck(false).status((request, status) -> step.answered(status,
                        System.nanoTime() - intendedNanos[request.session.uniqueId() % MAX_SESSIONS]))
                .endHandler().endStep();
    }
}
