package comments.support;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A reverse proxy on loopback that serves a port below a path, and removes the path, as nginx does with
 * {@code location /c/ {proxy_pass http://127.0.0.1:8080/;}}. It passes on each part of an answer at once.
 */
public final class PathProxy implements AutoCloseable {

    private static final Set<String> OF_A_CONNECTION = Set.of("connection", "content-length", "host", "transfer-encoding", "upgrade",
            "http2-settings", "expect");

    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    private final String path;
    private final int target;

    public PathProxy(String path, int target) throws IOException {
        this.path = path;
        this.target = target;
        server.createContext("/", this::serve);
        server.setExecutor(threads);
        server.start();
    }

    /** The address below which the port is served, without a slash at its end. */
    public URI uri() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + path);
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            String asked = exchange.getRequestURI().toString();
            if (asked.startsWith(path + "/")) {
                pass(exchange, asked.substring(path.length()));
            } else if (asked.equals(path)) {
                exchange.getResponseHeaders().add("Location", path + "/");
                exchange.sendResponseHeaders(301, -1);
            } else {
                exchange.sendResponseHeaders(404, -1);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void pass(HttpExchange exchange, String asked) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + target + asked))
                .method(exchange.getRequestMethod(), BodyPublishers.ofByteArray(exchange.getRequestBody().readAllBytes()));
        exchange.getRequestHeaders().forEach((name, values) -> {
            if (!OF_A_CONNECTION.contains(name.toLowerCase())) {
                values.forEach(value -> request.header(name, value));
            }
        });
        HttpResponse<InputStream> response = client.send(request.build(), BodyHandlers.ofInputStream());
        response.headers().map().forEach((name, values) -> {
            if (!OF_A_CONNECTION.contains(name.toLowerCase())) {
                exchange.getResponseHeaders().put(name, values);
            }
        });
        boolean empty = response.statusCode() == 304 || exchange.getRequestMethod().equals("HEAD");
        exchange.sendResponseHeaders(response.statusCode(), empty ? -1 : 0);
        try (InputStream in = response.body(); OutputStream out = exchange.getResponseBody()) {
            byte[] part = new byte[8_192];
            for (int length = in.read(part); length > 0; length = in.read(part)) {
                out.write(part, 0, length);
                out.flush();
            }
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
