package comments.examples;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import org.apache.camel.main.Main;

/** src/examples/import as the Camel CLI runs it, in this JVM. */
final class ImportRun implements AutoCloseable {

    static final Path EXAMPLE = Path.of("src/examples/import");

    private final Main main = new Main();

    private ImportRun() {
    }

    static ImportRun start(Path folder, String url, Map<String, String> settings) {
        ImportRun run = new ImportRun();
        run.main.setDefaultPropertyPlaceholderLocation("file:" + EXAMPLE.resolve("application.properties"));
        run.main.configure().withRoutesIncludePattern("file:" + EXAMPLE.resolve("import.camel.yaml"));
        run.main.addOverrideProperty("IMPORT_FOLDER", folder.toString());
        run.main.addOverrideProperty("IMPORT_URL", url);
        settings.forEach(run.main::addOverrideProperty);
        run.main.start();
        return run;
    }

    @Override
    public void close() {
        main.stop();
    }

    /** Takes the place of comment-service: keeps the requests, and answers as told. */
    static final class Service implements AutoCloseable {

        /** What a request is answered with. */
        record Answer(int status, String retryAfter, String body) {

            static final Answer ACCEPTED = new Answer(202, null, "{}");
        }

        /** Decides about each request. */
        interface Judge {
            Answer answer(int number, String body) throws IOException;
        }

        private final HttpServer server;
        private final Judge judge;
        private final List<String> bodies = new CopyOnWriteArrayList<>();

        private Service(HttpServer server, Judge judge) {
            this.server = server;
            this.judge = judge;
        }

        static Service start(Judge judge) throws IOException {
            return start(0, judge);
        }

        static Service start(int port, Judge judge) throws IOException {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
            Service service = new Service(server, judge);
            server.setExecutor(Executors.newCachedThreadPool());
            server.createContext("/comments", service::handle);
            server.start();
            return service;
        }

        private void handle(HttpExchange request) throws IOException {
            try (request) {
                String body = new String(request.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
                bodies.add(body);
                Answer answer = judge.answer(bodies.size(), body);
                if (answer.retryAfter() != null) {
                    request.getResponseHeaders().set("Retry-After", answer.retryAfter());
                }
                byte[] bytes = answer.body().getBytes(StandardCharsets.UTF_8);
                request.sendResponseHeaders(answer.status(), bytes.length);
                request.getResponseBody().write(bytes);
            }
        }

        int port() {
            return server.getAddress().getPort();
        }

        String url() {
            return "http://127.0.0.1:" + port() + "/comments";
        }

        /** The bodies of all requests, in their order. */
        List<String> bodies() {
            return bodies;
        }

        @Override
        public void close() {
            server.stop(0);
        }
    }
}
