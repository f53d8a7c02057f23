package comments;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** The packaged application as a process of its own, on ports of its own. */
final class JarProcess implements AutoCloseable {

    /** The program that runs the tests, too. */
    static final String JAVA = Path.of(System.getProperty("java.home"), "bin", "java").toString();

    private static final Path JAR = Path.of("target", "comment-service.jar");
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    private final int port = FreePort.find();
    private final int managementPort = FreePort.find();
    private final Path log;
    private final Process process;

    private JarProcess(ProcessBuilder builder, Map<String, String> knobs) throws IOException {
        log = Files.createTempFile(Files.createDirectories(Path.of("target", "processes")), "comment-service", ".log");
        builder.redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().put("HTTP_HOST", "127.0.0.1");
        builder.environment().put("HTTP_PORT", Integer.toString(port));
        builder.environment().put("MANAGEMENT_PORT", Integer.toString(managementPort));
        builder.environment().putAll(knobs);
        process = builder.start();
    }

    /** Starts the application, and waits until it is ready. */
    static JarProcess start(Map<String, String> knobs) throws Exception {
        return start(new ProcessBuilder(JAVA, "-Xmx512m", "-jar", JAR.toString()), knobs);
    }

    /** Starts the application by another command, and waits until it is ready. */
    static JarProcess start(ProcessBuilder command, Map<String, String> knobs) throws Exception {
        JarProcess application = new JarProcess(command, knobs);
        Awaitility.await().atMost(Duration.ofSeconds(60)).ignoreExceptions().until(() -> {
            if (!application.process.isAlive()) {
                throw new AssertionError("it ended: " + Files.readString(application.log));
            }
            return application.observe("health").contains("\"UP\"");
        });
        return application;
    }

    String observe(String path) throws IOException, InterruptedException {
        return CLIENT.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + managementPort + "/observe/" + path))
                .timeout(Duration.ofSeconds(5)).build(), BodyHandlers.ofString()).body();
    }

    URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }

    HttpResponse<String> post(String body) throws IOException, InterruptedException {
        return CLIENT.send(HttpRequest.newBuilder(uri("/comments")).timeout(Duration.ofSeconds(20))
                .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(body)).build(),
                BodyHandlers.ofString());
    }

    int managementPort() {
        return managementPort;
    }

    long pid() {
        return process.pid();
    }

    Stream<String> log() throws IOException {
        return Files.readAllLines(log).stream();
    }

    /** How many comments the log says were pushed. */
    int pushed() throws IOException {
        return log().filter(line -> line.contains("Pushed "))
                .mapToInt(line -> Integer.parseInt(line.replaceAll(".*Pushed (\\d+) .*", "$1"))).sum();
    }

    /** Ends the process without warning: kill -9. */
    void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
    }

    /** Tells the process to end, with SIGTERM; returns its exit code. */
    int terminate() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            throw new AssertionError("it doesn't end");
        }
        return process.exitValue();
    }

    @Override
    public void close() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
    }
}
