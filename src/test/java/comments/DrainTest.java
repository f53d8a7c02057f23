package comments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import comments.http.HttpEngine;
import comments.rabbitmq.ConsumerGate;
import comments.support.TestPipeline;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How a process takes leave of its callers and of the broker. */
class DrainTest {

    private static final String HEAD = "POST /comments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "
            + TestPipeline.COMMENT.length() + "\r\n\r\n";

    private EmbeddedBroker broker;
    private TestPipeline pipeline;
    private HttpEngine engine;

    @BeforeEach
    void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "COMMENTS_ROLES", "comment-service"));
        engine = pipeline.bean("platform-http-engine", HttpEngine.class);
    }

    @AfterEach
    void stop() {
        pipeline.close();
        broker.close();
    }

    /** A caller's connection. */
    private final class Caller implements AutoCloseable {

        private final Socket socket = new Socket("127.0.0.1", pipeline.port());
        private final BufferedReader answers =
                new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));

        Caller() throws IOException {
            socket.setSoTimeout(10_000);
        }

        void send(String text) throws IOException {
            socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
        }

        /** Reads an answer, up to the end of its head. */
        String answer() throws IOException {
            StringBuilder head = new StringBuilder();
            for (String line = answers.readLine(); line != null && !line.isEmpty(); line = answers.readLine()) {
                head.append(line).append('\n');
            }
            return head.toString();
        }

        void assertThatItIsRefusedAndClosed() throws IOException {
            assertThat(answer()).startsWith("HTTP/1.1 503 ").containsIgnoringCase("Connection: close").contains("Retry-After: ");
            assertThat(answers.lines()).last().asString().endsWith("}");
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    /** So that balancers have time to turn to other processes. */
    @Test
    void beforeTheDrainClientsAreServedAndAskedToUseOtherConnections() throws Exception {
        try (Caller open = new Caller()) {
            open.send(HEAD + TestPipeline.COMMENT);
            assertThat(open.answer()).startsWith("HTTP/1.1 202 ").doesNotContainIgnoringCase("Connection: close");
            assertThat(engine.retire()).isTrue();
            assertThat(pipeline.observe("health/ready")).contains("The HTTP server does not accept requests");
            open.send(HEAD + TestPipeline.COMMENT);
            assertThat(open.answers.readLine()).startsWith("{\"id\":").endsWith("}HTTP/1.1 202 Accepted");
            assertThat(open.answer()).containsIgnoringCase("Connection: close");
            try (Caller late = new Caller()) {
                late.send(HEAD + TestPipeline.COMMENT);
                assertThat(late.answer()).startsWith("HTTP/1.1 202 ").containsIgnoringCase("Connection: close");
            }
        }
    }

    @Test
    void callersAreAnsweredUntilTheLastOneHasGone() throws Exception {
        try (Caller busy = new Caller(); Caller slow = new Caller(); Caller idle = new Caller()) {
            busy.send(HEAD + TestPipeline.COMMENT);
            assertThat(busy.answer()).startsWith("HTTP/1.1 202 ").doesNotContainIgnoringCase("Connection: close");
            engine.drain();
            slow.send(HEAD);
            busy.send(HEAD + TestPipeline.COMMENT);
            try (Caller late = new Caller()) {
                late.send(HEAD + TestPipeline.COMMENT);
                assertThat(late.answer()).startsWith("HTTP/1.1 503 ").contains("Retry-After: ")
                        .doesNotContainIgnoringCase("Connection: close");
            }
            engine.stopListening();
            assertThatThrownBy(Caller::new).isInstanceOf(ConnectException.class);
            assertThat(engine.isConnected()).isTrue();
            slow.send(TestPipeline.COMMENT);
            slow.assertThatItIsRefusedAndClosed();
            idle.send(HEAD + TestPipeline.COMMENT);
            idle.assertThatItIsRefusedAndClosed();
        }
    }

    @Test
    void anUploadThatBeganBeforeTheDrainIsFinished() throws Exception {
        try (Caller slow = new Caller(); Caller other = new Caller()) {
            slow.send(HEAD + TestPipeline.COMMENT.substring(0, 5));
            other.send(HEAD + TestPipeline.COMMENT);
            assertThat(other.answer()).startsWith("HTTP/1.1 202 ");
            CompletableFuture<Void> drained = CompletableFuture.runAsync(pipeline::drain);
            await().ignoreExceptions().until(() -> {
                try (Caller late = new Caller()) {
                    late.send(HEAD + TestPipeline.COMMENT);
                    return late.answer().startsWith("HTTP/1.1 503 ");
                }
            });
            slow.send(TestPipeline.COMMENT.substring(5));
            assertThat(slow.answer()).startsWith("HTTP/1.1 202 ");
            drained.get(10, TimeUnit.SECONDS);
        }
    }

    @Test
    void uploadsThatDoNotEndAreAnsweredBeforeTheProcessEnds() throws Exception {
        try (Caller before = new Caller(); Caller after = new Caller(); Caller other = new Caller()) {
            before.send(HEAD + TestPipeline.COMMENT.substring(0, 5));
            other.send(HEAD + TestPipeline.COMMENT);
            assertThat(other.answer()).startsWith("HTTP/1.1 202 ");
            assertThat(engine.isIdle()).isFalse();
            engine.drain();
            after.send(HEAD + TestPipeline.COMMENT.substring(0, 5));
            engine.stopListening();
            for (Caller each : List.of(before, after)) {
                assertThat(each.answer()).startsWith("HTTP/1.1 503 ").containsIgnoringCase("Connection: close")
                        .contains("Retry-After: ");
                // what comes after the answer is read, so that nothing resets the connection
                each.send(TestPipeline.COMMENT.substring(5));
                assertThat(each.answers.lines()).last().asString().endsWith("}");
            }
            assertThat(engine.isIdle()).isTrue();
        }
    }

    @Test
    void whoDoesNotGoIsSentAway() throws Exception {
        try (Caller idle = new Caller()) {
            idle.send(HEAD + TestPipeline.COMMENT);
            assertThat(idle.answer()).startsWith("HTTP/1.1 202 ");
            pipeline.drain();
            // up to the end of what the connection had to say
            assertThat(idle.answers.lines()).last().asString().startsWith("{\"id\":");
        }
    }

    @Test
    void anIntakeThatIsShutLeavesMessagesToTheBroker() {
        ConsumerGate intake = new ConsumerGate();
        Exchange before = new DefaultExchange(new DefaultCamelContext());
        intake.onExchangeBegin(null, before);
        assertThat(before.isRouteStop()).isFalse();
        assertThat(intake.isEmpty()).isFalse();
        intake.shut();
        Exchange after = new DefaultExchange(before.getContext());
        intake.onExchangeBegin(null, after);
        assertThat(after.isRouteStop()).isTrue();
        intake.onExchangeDone(null, after);
        intake.onExchangeDone(null, before);
        assertThat(intake.isEmpty()).isTrue();
    }
}
