package comments.groupcommit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;

/** A GroupCommit before a route that stands for the broker. */
abstract class GroupCommitFixture {

    final DefaultCamelContext context = new DefaultCamelContext();
    final GroupCommit groupCommit = new GroupCommit();

    {
        groupCommit.setCountHeader("count");
    }

    final List<String> published = Collections.synchronizedList(new ArrayList<>());
    final List<Integer> counts = Collections.synchronizedList(new ArrayList<>());
    /** Each message takes a permit before it is confirmed. */
    final Semaphore broker = new Semaphore(0);

    void start(Processor confirm) throws Exception {
        context.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                from("direct:publish").errorHandler(noErrorHandler()).process(exchange -> {
                    published.add(exchange.getMessage().getBody(String.class));
                    counts.add(exchange.getMessage().getHeader("count", Integer.class));
                    confirm.process(exchange);
                });
            }
        });
        groupCommit.setCamelContext(context);
        groupCommit.setEndpoint("direct:publish");
        context.start();
        groupCommit.start();
    }

    void startWithSlowBroker() throws Exception {
        start(exchange -> broker.acquire());
    }

    @AfterEach
    void stop() throws IOException {
        broker.release(1_000_000);
        groupCommit.stop();
        context.close();
    }

    CompletableFuture<Exchange> park(String body) {
        return park(body, 1);
    }

    CompletableFuture<Exchange> park(String body, int values) {
        Exchange exchange = new DefaultExchange(context);
        exchange.getMessage().setBody(body.getBytes(UTF_8));
        exchange.getMessage().setHeader("count", values);
        CompletableFuture<Exchange> done = new CompletableFuture<>();
        groupCommit.process(exchange, sync -> {
            if (exchange.getException() != null) {
                done.completeExceptionally(exchange.getException());
            } else {
                done.complete(exchange);
            }
        });
        return done;
    }
}
