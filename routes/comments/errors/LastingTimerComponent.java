package comments.errors;

import java.util.Map;
import org.apache.camel.Consumer;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.Route;
import org.apache.camel.component.timer.TimerComponent;
import org.apache.camel.component.timer.TimerConsumer;
import org.apache.camel.component.timer.TimerEndpoint;
import org.apache.camel.support.LifecycleStrategySupport;

/**
 * The component {@code timer}, whose timers go on after an Error: that of Camel catches exceptions only, and an Error ends the thread
 * of the timer for ever.
 *
 * <p>An Error in a step of a route that a timer starts, or of a route that this one calls, is met by the error handler of the route, like an
 * exception. After any other, the run has failed, and the timer starts the next one.
 *
 * <p>A timer with a {@code time} is that of Camel.
 */
public class LastingTimerComponent extends TimerComponent {

    @Override
    protected void doInit() throws Exception {
        super.doInit();
        getCamelContext().addLifecycleStrategy(new LifecycleStrategySupport() {
            @Override
            public void onRouteContextCreate(Route route) {
                if (route.getEndpoint() instanceof LastingTimerEndpoint) {
                    route.getInterceptStrategies().add((context, definition, step, next) -> new FailingStep(step));
                }
            }
        });
    }

    @Override
    protected Endpoint createEndpoint(String uri, String remaining, Map<String, Object> parameters) throws Exception {
        if (parameters.containsKey("time")) {
            return super.createEndpoint(uri, remaining, parameters);
        }
        TimerEndpoint endpoint = new LastingTimerEndpoint(uri, this, remaining);
        endpoint.setIncludeMetadata(isIncludeMetadata());
        setProperties(endpoint, parameters);
        return endpoint;
    }

    private static final class LastingTimerEndpoint extends TimerEndpoint {

        LastingTimerEndpoint(String uri, TimerComponent component, String name) {
            super(uri, component, name);
        }

        @Override
        public Consumer createConsumer(Processor processor) throws Exception {
            Consumer consumer = new LastingTimerConsumer(this, processor);
            configureConsumer(consumer);
            return consumer;
        }
    }

    /** Only the thread of its timer calls what is overridden. */
    private static final class LastingTimerConsumer extends TimerConsumer {

        private Exchange exchange;

        LastingTimerConsumer(TimerEndpoint endpoint, Processor processor) {
            super(endpoint, processor);
        }

        @Override
        public Exchange createExchange(boolean autoRelease) {
            exchange = super.createExchange(autoRelease);
            return exchange;
        }

        @Override
        protected void sendTimerExchange(long counter) {
            try {
                super.sendTimerExchange(counter);
            } catch (Error e) {
                if (exchange != null) {
                    Leftovers.fail(exchange, e);
                }
                // there is none if the route has tried it again
                if (exchange == null || exchange.getException() != null) {
                    getExceptionHandler().handleException("A timer failed", e);
                }
            } finally {
                exchange = null;
            }
        }
    }
}
