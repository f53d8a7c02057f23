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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Makes the archive of classes (CDS) that docker/jvm.options names. With it, the packaged application starts in about half the
 * time. It runs the jar on embedded servers until the jar has served a comment, lists the loaded classes, and dumps them with
 * this JDK. Another JDK or another jar ignores the archive; docker/Dockerfile dumps its own from the same list.
 *
 * <p>The archive is optional: if it can't be made, one line gives the reason, and the application starts without it.
 */
public final class EmbeddedClassArchive {

    private static final Path TARGET = Path.of("target");
    private static final Path CLASSES = TARGET.resolve("comment-service.classlist");
    private static final Path LOG = TARGET.resolve("comment-service.classlist.log");
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final HttpClient client = HttpClient.newHttpClient();
    private final int port = FreePort.find();
    private final int managementPort = FreePort.find();

    private EmbeddedClassArchive() throws IOException {
    }

    public static void main(String[] args) {
        try {
            Files.deleteIfExists(CLASSES);
            Files.deleteIfExists(LOG);
            Path listed = new EmbeddedClassArchive().list();
            Files.move(listed, CLASSES);
            dump();
        } catch (Exception | LinkageError e) {
            System.out.println("No archive of classes is made, so the application takes longer to start: " + e);
        }
    }

    /** Returns a file with the names of the classes. */
    private Path list() throws Exception {
        Path classes = TARGET.resolve(CLASSES.getFileName() + ".part");
        try (EmbeddedBroker broker = EmbeddedBroker.startInMemory();
                EmbeddedPostgreSQL postgres = EmbeddedPostgreSQL.startInTemporaryFolder()) {
            ProcessBuilder builder = java("-Xshare:off", "-XX:DumpLoadedClassList=" + classes);
            // settings in the environment may be for other servers, or for a real push service
            builder.environment().clear();
            builder.environment().putAll(Map.of(
                    "RABBITMQ_URI", broker.uri(), "POSTGRES_URL", postgres.url(), "POSTGRES_USER", postgres.user(),
                    "POSTGRES_PASSWORD", postgres.password(),
                    "HTTP_HOST", "127.0.0.1", "HTTP_PORT", Integer.toString(port),
                    "MANAGEMENT_PORT", Integer.toString(managementPort)));
            Process application = builder.start();
            Thread end = new Thread(() -> {
                application.destroyForcibly();
                try {
                    postgres.close();
                } catch (IOException e) {
                    System.out.println("PostgreSQL doesn't end: " + e);
                }
            });
            // for Ctrl-C: the server would outlive this process
            Runtime.getRuntime().addShutdownHook(end);
            try {
                serve(application);
            } finally {
                application.destroy();
                end(application);
            }
            Runtime.getRuntime().removeShutdownHook(end);
        }
        return classes;
    }

    private void serve(Process application) throws IOException, InterruptedException {
        await(application, get(managementPort, "/observe/health/ready"));
        HttpResponse<String> answer = client.send(request(port, "/comments").header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString("""
                        {"postId":"p1","userId":"u1","userName":"Ann","content":"First!"}""")).build(),
                BodyHandlers.ofString());
        if (answer.statusCode() != 202) {
            throw new IOException("a comment was answered with %d: %s".formatted(answer.statusCode(), answer.body()));
        }
        await(application, get(port, answer.headers().firstValue("Location").orElseThrow()));
        await(application, get(managementPort, "/observe/metrics"));
    }

    private static void dump() throws IOException, InterruptedException {
        int exitCode = end(java("@" + Path.of("docker", "archive.options")).start());
        if (exitCode != 0) {
            throw new IOException("java -Xshare:dump ended with code " + exitCode + ": see " + LOG);
        }
    }

    private static ProcessBuilder java(String... options) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "@" + Path.of("docker", "jvm.options")));
        command.addAll(List.of(options));
        command.addAll(List.of("-jar", TARGET.resolve("comment-service.jar").toString()));
        return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(LOG.toFile()));
    }

    private static HttpRequest.Builder request(int port, String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).timeout(Duration.ofSeconds(5));
    }

    private static HttpRequest get(int port, String path) {
        return request(port, path).build();
    }

    private void await(Process application, HttpRequest request) throws IOException, InterruptedException {
        long end = System.nanoTime() + LIMIT.toNanos();
        while (status(request) != 200) {
            if (!application.isAlive()) {
                throw new IOException("the application ended: see " + LOG);
            }
            if (System.nanoTime() > end) {
                throw new IOException(request.uri().getPath() + " is not answered within a minute: see " + LOG);
            }
            Thread.sleep(100);
        }
    }

    private int status(HttpRequest request) throws InterruptedException {
        try {
            return client.send(request, BodyHandlers.discarding()).statusCode();
        } catch (IOException e) {
            return 0;
        }
    }

    private static int end(Process process) throws IOException, InterruptedException {
        if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IOException("java doesn't end: see " + LOG);
        }
        return process.exitValue();
    }
}
