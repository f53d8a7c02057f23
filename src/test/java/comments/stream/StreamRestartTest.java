package comments.stream;

import static org.assertj.core.api.Assertions.assertThat;

import comments.EmbeddedBroker;
import comments.http.HttpEngine;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What the EventSource of a browser gets from a process that is shutting down: it gives up after any status but 200. */
class StreamRestartTest {

    @Test
    void anEventSourceComesBackAndOtherRequestsAreRefused() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.startInMemory();
                TestPipeline pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL",
                        TestServers.newDatabase(), "POSTGRES_USER", "postgres", "COMMENTS_ROLES", "comment-reader"))) {
            pipeline.bean("platform-http-engine", HttpEngine.class).drain();
            HttpResponse<String> stream = pipeline.send(HttpRequest.newBuilder(pipeline.uri("/comments/stream"))
                    .header("Accept", "text/event-stream"));
            assertThat(stream.statusCode()).isEqualTo(200);
            assertThat(stream.headers().firstValue("Content-Type")).hasValue("text/event-stream");
            assertThat(stream.body()).matches("retry: [1-3]\\d{3}\nevent: end\ndata: \\{\"reason\":\"stopping\"}\n\n");

            for (String accept : List.of("*/*", "text/event-stream, application/problem+json")) {
                HttpResponse<String> other = pipeline.send(HttpRequest.newBuilder(pipeline.uri("/comments/stream")).header("Accept", accept));
                assertThat(other.statusCode()).isEqualTo(503);
                assertThat(other.headers().firstValue("Retry-After")).hasValue("1");
            }
        }
    }
}
