package comments.http;

import static org.assertj.core.api.Assertions.assertThat;

import comments.EmbeddedBroker;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Exchange;
import org.apache.camel.attachment.AttachmentMessage;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpRouter;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Our HTTP engine: what it is told to runs on the event loop, all else as Camel's own engine does it. */
class HttpEngineTest {

    private static final CountDownLatch RELEASE = new CountDownLatch(1);
    private static final List<String> PASSED = new CopyOnWriteArrayList<>();

    private static EmbeddedBroker broker;
    private static TestPipeline pipeline;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        String database = TestServers.newDatabase();
        pipeline = TestPipeline.start(
                Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", database, "POSTGRES_USER", "postgres",
                        "COMMENTS_ROLES", "comment-service,comment-job-processor",
                        "comments.event-loop-endpoints", "POST /comments, POST /loop, GET /loop/database, POST /loop/later, POST /loop/error",
                        "HTTP_EVENT_LOOPS", "1"),
                new RouteBuilder() {
                    @Override
                    public void configure() {
                        from("platform-http:/loop?httpMethodRestrict=POST")
                                .process(exchange -> exchange.getMessage().setBody((Thread.currentThread().getName() + " "
                                        + exchange.getMessage().getHeader("X-Caller") + " "
                                        + exchange.getMessage().getHeader(Exchange.HTTP_QUERY) + " "
                                        + exchange.getMessage().getHeader("a") + " "
                                        + exchange.getMessage().getBody(String.class)).getBytes()))
                                .removeHeaders("*").setHeader(Exchange.HTTP_RESPONSE_CODE, constant(200));
                        from("platform-http:/loop/database?httpMethodRestrict=GET")
                                .setBody(constant("select 1")).to("jdbc:comments");
                        from("platform-http:/loop/later?httpMethodRestrict=POST")
                                .removeHeaders("*").delay(100).asyncDelayed()
                                .setBody(constant("later".getBytes())).setHeader(Exchange.HTTP_RESPONSE_CODE, constant(201));
                        from("platform-http:/loop/error?httpMethodRestrict=POST")
                                .process(exchange -> {
                                    if (exchange.getMessage().getBody(String.class).equals("error")) {
                                        throw new StackOverflowError("of a test");
                                    }
                                })
                                .process(exchange -> PASSED.add(exchange.getMessage().getBody(String.class)));
                        from("platform-http:/thread")
                                .process(exchange -> exchange.getMessage().setBody(Thread.currentThread().getName()));
                        from("platform-http:/database")
                                .setBody(constant("select 1 as one")).to("jdbc:comments?outputType=SelectOne").setBody(simple("one ${body}"));
                        from("platform-http:/blocking")
                                .process(exchange -> RELEASE.await()).setBody(constant("released"));
                        from("platform-http:/stream?useStreaming=true").process(exchange -> {
                            InputStream in = exchange.getMessage().getBody(InputStream.class);
                            int first = in.read();
                            exchange.getMessage().setBody("first " + (char) first + " then "
                                    + (1 + in.readAllBytes().length) + " bytes");
                        });
                        from("platform-http:/download").process(exchange -> {
                            PipedOutputStream out = new PipedOutputStream();
                            exchange.getMessage().setBody(new PipedInputStream(out));
                            CompletableFuture.runAsync(() -> {
                                try (out) {
                                    for (int i = 0; i < 1_000; i++) {
                                        out.write("0123456789".getBytes());
                                    }
                                } catch (java.io.IOException e) {
                                    throw new IllegalStateException(e);
                                }
                            });
                        });
                        from("platform-http:/upload").process(exchange -> exchange.getMessage().setBody(
                                exchange.getMessage(AttachmentMessage.class).getAttachments().keySet().toString()));
                        restConfiguration().enableCORS(true);
                        rest("/items").get("/{item}").to("direct:item");
                        from("direct:item").setBody(simple("item ${header.item} q ${header.q}"));
                    }
                });
    }

    @AfterAll
    static void stop() {
        RELEASE.countDown();
        pipeline.close();
        broker.close();
    }

    private static String get(String path) throws Exception {
        return pipeline.send(HttpRequest.newBuilder(pipeline.uri(path)).GET()).body();
    }

    /** Netty's Linux libraries are older than its classes, see pom.xml: they must fit. */
    @Test
    @EnabledOnOs(value = OS.LINUX, architectures = {"amd64", "aarch64"})
    void theServerHasTheSocketsOfLinux() {
        String router = VertxPlatformHttpRouter.getRouterNameFromPort(pipeline.uri("/").getPort());
        assertThat(VertxPlatformHttpRouter.lookup(pipeline.context(), router).vertx().isNativeTransportEnabled()).isTrue();
    }

    @Test
    void whatItIsToldToRunsOnTheEventLoopWithTheRequestsHeaders() throws Exception {
        var response = pipeline.post("/loop?a=b", "body", "X-Caller", "c");
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body()).startsWith("vert.x-eventloop-thread").endsWith(" c a=b null body");
    }

    @Test
    void anAnswerMayComeLaterFromAnotherThread() throws Exception {
        var response = pipeline.post("/loop/later", "");
        assertThat(response.statusCode()).isEqualTo(201);
        assertThat(response.body()).isEqualTo("later");
    }

    @Test
    void anErrorEndsItsRequestAndNoFurtherStepTakesIt() throws Exception {
        assertThat(pipeline.post("/loop/error", "error").statusCode()).isEqualTo(500);
        assertThat(pipeline.post("/loop/error", "next").statusCode()).isEqualTo(200);
        assertThat(PASSED).containsExactly("next");
    }

    @Test
    void noRouteUsesTheDatabaseOnTheEventLoop() throws Exception {
        assertThat(pipeline.send(HttpRequest.newBuilder(pipeline.uri("/loop/database")).GET()).statusCode()).isEqualTo(500);
        assertThat(get("/database")).isEqualTo("one 1");
    }

    @Test
    void otherRoutesRunOnWorkerThreads() throws Exception {
        assertThat(get("/thread")).startsWith("vert.x-worker-thread");
    }

    @Test
    void routesThatBlockDoNotHoldUpTheEventLoop() throws Exception {
        List<CompletableFuture<String>> blocked = java.util.stream.IntStream.range(0, 10)
                .mapToObj(i -> CompletableFuture.supplyAsync(() -> {
                    try {
                        return get("/blocking");
                    } catch (Exception e) {
                        throw new IllegalStateException(e);
                    }
                }, task -> new Thread(task).start())).toList();
        for (int i = 0; i < 20; i++) {
            assertThat(pipeline.post("/comments", TestPipeline.COMMENT).statusCode()).isEqualTo(202);
        }
        assertThat(blocked).noneMatch(CompletableFuture::isDone);
        RELEASE.countDown();
        for (CompletableFuture<String> one : blocked) {
            assertThat(one.get(10, TimeUnit.SECONDS)).isEqualTo("released");
        }
    }

    @Test
    void requestsAreStreamedToOtherRoutes() throws Exception {
        assertThat(pipeline.send(HttpRequest.newBuilder(pipeline.uri("/stream"))
                .POST(BodyPublishers.ofByteArray("x".repeat(5_000_000).getBytes()))).body())
                .isEqualTo("first x then 5000000 bytes");
    }

    @Test
    void answersOfOtherRoutesAreStreamed() throws Exception {
        assertThat(get("/download")).isEqualTo("0123456789".repeat(1_000));
    }

    @Test
    void filesAreUploadedToOtherRoutes() throws Exception {
        assertThat(pipeline.send(HttpRequest.newBuilder(pipeline.uri("/upload"))
                .header("Content-Type", "multipart/form-data; boundary=b")
                .POST(BodyPublishers.ofString("--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\n"
                        + "Content-Type: text/plain\r\n\r\nhello\r\n--b--\r\n"))).body()).isEqualTo("[f]");
    }

    @Test
    void otherRestRoutesHavePathsQueriesAndCors() throws Exception {
        var response = pipeline.send(HttpRequest.newBuilder(pipeline.uri("/items/7?q=8")).header("X-Origin", "a").GET());
        assertThat(response.body()).isEqualTo("item 7 q 8");
        assertThat(response.headers().firstValue("Access-Control-Allow-Origin")).hasValue("*");
        assertThat(pipeline.send(HttpRequest.newBuilder(pipeline.uri("/items/7"))
                .method("OPTIONS", BodyPublishers.noBody())).headers().firstValue("Access-Control-Allow-Methods"))
                .hasValueSatisfying(methods -> assertThat(methods).contains("GET"));
    }
}
