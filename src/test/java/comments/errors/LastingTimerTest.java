package comments.errors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.BeanInject;
import org.apache.camel.CamelContext;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.main.MainConfigurationProperties;
import org.apache.camel.test.main.junit5.CamelMainTest;
import org.apache.camel.test.main.junit5.Configure;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Errors in routes that timers of the application start. */
@CamelMainTest(properties = {"COMMENTS_ROLES=comment-changes", "COMMENTS_RETRY_DELAY=10", "COMMENTS_RETRY_MAX_DELAY=20",
    "camel.metrics.enabled=false", "camel.management.enabled=false"})
class LastingTimerTest {

    /** What the routes have done. */
    private static final List<String> DONE = new CopyOnWriteArrayList<>();
    private static final int ERRORS = 3;

    static class Timers extends RouteBuilder {
        @Override
        public void configure() {
            for (String options : List.of("", "&synchronous=true")) {
                String name = options.isEmpty() ? "asynchronous" : "synchronous";
                AtomicInteger attempts = new AtomicInteger();
                from("timer:" + name + "?repeatCount=1" + options).routeId(name).routeConfigurationId("retry-until-done").autoStartup(false)
                        .filter(constant(true)).process(exchange -> fail(attempts)).end()
                        .process(exchange -> note(name));
                AtomicInteger retriedCalls = new AtomicInteger();
                from("timer:retrying-" + name + "?repeatCount=1" + options).routeId("retrying-" + name)
                        .routeConfigurationId("retry-until-done").autoStartup(false)
                        .to("direct:retried-" + name)
                        .process(exchange -> note("retrying-" + name));
                from("direct:retried-" + name).errorHandler(noErrorHandler())
                        .process(exchange -> fail(retriedCalls))
                        .process(exchange -> note("retried-" + name));
                AtomicInteger calls = new AtomicInteger();
                from("timer:calling-" + name + "?period=50" + options).routeId("calling-" + name).autoStartup(false)
                        .onCompletion().onFailureOnly().process(exchange -> note("failed-" + name)).end()
                        .to("direct:called-" + name)
                        .process(exchange -> note("calling-" + name));
                from("direct:called-" + name).errorHandler(noErrorHandler())
                        .process(exchange -> fail(calls))
                        .process(exchange -> note("called-" + name));
            }
        }

        private static void fail(AtomicInteger attempts) {
            if (attempts.incrementAndGet() <= ERRORS) {
                throw new StackOverflowError("of a test");
            }
        }

        private static void note(String what) {
            DONE.add(what);
        }
    }

    @BeanInject
    CamelContext context;

    @Configure
    void routes(MainConfigurationProperties configuration) {
        configuration.withRoutesIncludePattern("classpath:connections.camel.yaml,classpath:errors.camel.yaml");
        configuration.addRoutesBuilder(new Timers());
    }

    private static long done(String what) {
        return DONE.stream().filter(what::equals).count();
    }

    @ParameterizedTest
    @ValueSource(strings = {"asynchronous", "synchronous"})
    void theRouteRetriesTheStep(String timer) throws Exception {
        context.getRouteController().startRoute(timer);
        await().until(() -> done(timer) == 1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"asynchronous", "synchronous"})
    void theRouteRetriesTheCallOfAnother(String timer) throws Exception {
        context.getRouteController().startRoute("retrying-" + timer);
        await().until(() -> done("retrying-" + timer) == 1);
        assertThat(done("retried-" + timer)).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"asynchronous", "synchronous"})
    void aRunThatTheErrorEndsHasFailedAndTheTimerStartsTheNext(String timer) throws Exception {
        context.getRouteController().startRoute("calling-" + timer);
        await().until(() -> done("calling-" + timer) > 1);
        context.getRouteController().stopRoute("calling-" + timer);
        assertThat(done("failed-" + timer)).isEqualTo(ERRORS);
        assertThat(done("called-" + timer)).isEqualTo(done("calling-" + timer));
    }

    @Test
    void theHealthNamesTheError() throws Exception {
        context.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                from("timer:failing?repeatCount=1").routeId("failing").routeConfigurationId("retry-until-done").process(exchange -> {
                    throw new StackOverflowError("of a test");
                });
            }
        });
        HealthCheck health = context.getRegistry().lookupByNameAndType("retryingTimers", HealthCheck.class);
        await().until(() -> health.call().getState() == HealthCheck.State.DOWN);
        assertThat(health.call().getMessage().orElseThrow()).contains("failing was tried").endsWith("StackOverflowError");
    }
}
