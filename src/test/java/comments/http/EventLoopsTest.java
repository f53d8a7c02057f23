package comments.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.EmbeddedBroker;
import comments.support.EventStream;
import comments.support.RawConnection;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Several event loops serve HTTP: each has its share of the connections, and they share the limits. */
class EventLoopsTest {

    private static final int LOOPS = 3;

    private static EmbeddedBroker broker;
    private static TestPipeline pipeline;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", TestServers.newDatabase(),
                "POSTGRES_USER", "postgres", "HTTP_EVENT_LOOPS", Integer.toString(LOOPS), "COMMENTS_QUEUES", "2",
                "COMMENTS_STREAM_LISTENERS", "6", "HTTP_CLIENT_SHARE", "100",
                "comments.event-loop-endpoints", "POST /comments, GET /comments/stream, GET /loop"),
                new RouteBuilder() {
                    @Override
                    public void configure() {
                        from("platform-http:/loop?httpMethodRestrict=GET").removeHeaders("*")
                                .process(exchange -> exchange.getMessage().setBody(Thread.currentThread().getName().getBytes()))
                                .setHeader(Exchange.HTTP_RESPONSE_CODE, constant(200));
                    }
                });
    }

    @AfterAll
    static void stop() throws Exception {
        pipeline.close();
        broker.close();
    }

    @Test
    void connectionsAreSharedOutAndStayOnTheirLoop() throws Exception {
        List<String> threads = new ArrayList<>();
        for (int i = 0; i < 2 * LOOPS; i++) {
            try (RawConnection connection = RawConnection.open("127.0.0.1", pipeline.port())) {
                connection.send("GET /loop HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2) + "GET /loop HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
                List<String> served = connection.rest().lines().filter(line -> line.contains("eventloop"))
                        .map(line -> line.replaceAll(".*(vert.x-eventloop-thread-[0-9]+).*", "$1")).distinct().toList();
                assertThat(served).hasSize(1);
                threads.addAll(served);
            }
        }
        assertThat(threads.stream().distinct()).hasSize(LOOPS);
    }

    @Test
    void postsOnAllLoopsAreWrittenAndEachStreamGetsThem() throws Exception {
        List<EventStream> streams = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            streams.add(EventStream.open(pipeline.uri("/comments/stream?postId=loops")));
        }
        // one more than all loops together may have
        assertThat(pipeline.bean("sseClients", SseClients.class).count()).isEqualTo(6);
        try (RawConnection refused = RawConnection.open("127.0.0.1", pipeline.port())) {
            refused.send("GET /comments/stream HTTP/1.1\r\nHost: a\r\n\r\n");
            assertThat(refused.status()).isEqualTo(503);
        }
        String comment = TestPipeline.COMMENT.replace("\"p\"", "\"loops\"");
        List<CompletableFuture<Integer>> posts = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            posts.add(CompletableFuture.supplyAsync(() -> {
                try (RawConnection connection = RawConnection.open("127.0.0.1", pipeline.port())) {
                    return connection.send(RawConnection.post("", comment)).status();
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            }));
        }
        assertThat(posts).extracting(CompletableFuture::join).containsOnly(202);
        await().atMost(Duration.ofSeconds(20)).untilAsserted(
                () -> assertThat(streams).allSatisfy(stream -> assertThat(stream.comments()).hasSize(60)));
        pipeline.bean("sseClients", SseClients.class).endAll("resume");
        await().atMost(Duration.ofSeconds(5)).until(() -> pipeline.bean("sseClients", SseClients.class).count() == 0);
        assertThat(pipeline.bean("sseClients", SseClients.class).topics()).isEmpty();
    }
}
