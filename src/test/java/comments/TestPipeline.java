package comments;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.camel.CamelContext;
import org.apache.camel.RoutesBuilder;
import org.apache.camel.main.Main;

/** The application as the jar starts it, in this JVM, on ports of its own. */
final class TestPipeline implements AutoCloseable {

    static final String COMMENT = """
            {"postId":"p","userId":"u","userName":"Ann","content":"Hi"}""";

    private final HttpClient client = HttpClient.newHttpClient();
    private final Main main = CommentPipeline.create();
    private final int port = FreePort.find();
    private final int managementPort = FreePort.find();

    private TestPipeline() throws IOException {
    }

    static TestPipeline start(Map<String, String> knobs, RoutesBuilder... routes) throws Exception {
        TestPipeline pipeline = new TestPipeline();
        pipeline.main.addOverrideProperty("HTTP_HOST", "127.0.0.1");
        pipeline.main.addOverrideProperty("HTTP_PORT", Integer.toString(pipeline.port));
        pipeline.main.addOverrideProperty("MANAGEMENT_PORT", Integer.toString(pipeline.managementPort));
        knobs.forEach(pipeline.main::addOverrideProperty);
        for (RoutesBuilder builder : routes) {
            pipeline.main.configure().addRoutesBuilder(builder);
        }
        pipeline.main.start();
        return pipeline;
    }

    CamelContext context() {
        return main.getCamelContext();
    }

    <T> T bean(String name, Class<T> type) {
        return context().getRegistry().lookupByNameAndType(name, type);
    }

    int port() {
        return port;
    }

    URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }

    HttpResponse<String> post(String path, String body, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(path))
                .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), BodyHandlers.ofString());
    }

    HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return client.send(request.build(), BodyHandlers.ofString());
    }

    /** Returns at once, so that any number of requests can be on their way together. */
    CompletableFuture<HttpResponse<String>> sendAsync(HttpRequest.Builder request) {
        return client.sendAsync(request.build(), BodyHandlers.ofString());
    }

    /** Asks the management server. */
    String observe(String path) throws IOException, InterruptedException {
        return client.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + managementPort + "/observe/" + path)).build(),
                BodyHandlers.ofString()).body();
    }

    /** Does what a process does first when it is told to end. */
    void drain() {
        new Drain().beforeStop(main);
    }

    @Override
    public void close() {
        main.stop();
    }
}
