package comments.support;

import comments.CommentPipeline;
import comments.Drain;
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
public final class TestPipeline implements AutoCloseable {

    public static final String COMMENT = """
            {"postId":"p","userId":"u","userName":"Ann","content":"Hi"}""";

    private final HttpClient client = HttpClient.newHttpClient();
    private final Main main = CommentPipeline.create();
    private final int port = Ports.find();
    private final int managementPort = Ports.find();

    private TestPipeline() throws IOException {
    }

    public static TestPipeline start(Map<String, String> knobs, RoutesBuilder... routes) throws Exception {
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

    public CamelContext context() {
        return main.getCamelContext();
    }

    public <T> T bean(String name, Class<T> type) {
        return context().getRegistry().lookupByNameAndType(name, type);
    }

    public int port() {
        return port;
    }

    public URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }

    public HttpResponse<String> post(String path, String body, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(path))
                .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), BodyHandlers.ofString());
    }

    public HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return client.send(request.build(), BodyHandlers.ofString());
    }

    /** Returns at once, so that any number of requests can be on their way together. */
    public CompletableFuture<HttpResponse<String>> sendAsync(HttpRequest.Builder request) {
        return client.sendAsync(request.build(), BodyHandlers.ofString());
    }

    /** Asks the management server. */
    public String observe(String path) throws IOException, InterruptedException {
        return client.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + managementPort + "/observe/" + path)).build(),
                BodyHandlers.ofString()).body();
    }

    /** Does what a process does first when it is told to end. */
    public void drain() {
        new Drain().beforeStop(main);
    }

    @Override
    public void close() {
        main.stop();
    }
}
