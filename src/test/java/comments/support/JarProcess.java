package comments.support;

import static java.nio.charset.StandardCharsets.UTF_8;

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
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** The packaged application as a process of its own, on ports of its own. */
public final class JarProcess implements AutoCloseable {

    /** What {@code target/comment-service.jar} is started from. */
    public static final Path JAR = Path.of("target", "comment-service.jar");

    /** The program that runs the tests, too. */
    public static final String JAVA = Path.of(System.getProperty("java.home"), "bin", "java").toString();

    /** Ends a JVM that can't use the archive of classes. */
    public static final String MUST_SHARE = "-Xshare:on";

    /** The arguments of java that start it as docs/operations.md does. */
    public static final List<String> PACKAGED = List.of("@" + Path.of("docker", "jvm.options"), "-jar", JAR.toString());
    /** What keeps a JDK that warns of what Netty does from doing so; those before 23 don't know these options. */
    private static final List<String> QUIET = Runtime.version().feature() < 23 ? List.of()
            : List.of("--sun-misc-unsafe-memory-access=allow", "--enable-native-access=ALL-UNNAMED");
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    private final int port = Ports.find();
    private final int managementPort = Ports.find();
    private final Path log;
    private final Process process;

    private JarProcess(ProcessBuilder builder, Map<String, String> settings) throws IOException {
        log = Files.createTempFile(Files.createDirectories(Path.of("target", "processes")), "comment-service", ".log");
        builder.redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().put("HTTP_HOST", "127.0.0.1");
        builder.environment().put("HTTP_PORT", Integer.toString(port));
        builder.environment().put("MANAGEMENT_PORT", Integer.toString(managementPort));
        builder.environment().putAll(settings);
        process = builder.start();
    }

    /** Starts a class of the application or of the tests, which needs no jar, and returns at once. */
    public static JarProcess launchClass(String main, Map<String, String> settings) throws IOException {
        List<String> arguments = new ArrayList<>(QUIET);
        arguments.addAll(List.of("-cp", System.getProperty("java.class.path"), main));
        return launch(settings, arguments);
    }

    /** Starts the application by the given arguments of java, and returns at once. */
    public static JarProcess launch(Map<String, String> settings, List<String> arguments) throws IOException {
        return launch(java(arguments), settings);
    }

    /** Starts the application by a command, and returns at once. */
    static JarProcess launch(ProcessBuilder command, Map<String, String> settings) throws IOException {
        return new JarProcess(command, settings);
    }

    /** The command that calls java with these arguments. */
    public static ProcessBuilder java(List<String> arguments) {
        List<String> command = new ArrayList<>(List.of(JAVA));
        command.addAll(arguments);
        return new ProcessBuilder(command);
    }

    /** Waits until the application is ready, a minute at most; returns this. */
    public JarProcess awaitReady() {
        return awaitReady(Duration.ofMinutes(3));
    }

    /** Waits until the application is ready; returns this. */
    public JarProcess awaitReady(Duration limit) {
        Awaitility.await().atMost(limit).ignoreExceptionsInstanceOf(IOException.class).until(() -> {
            if (!process.isAlive()) {
                throw new AssertionError("it ended: " + Files.readString(log));
            }
            return observe("health").contains("\"UP\"");
        });
        return this;
    }

    /** What the management server answers, within 5 s. */
    public String observe(String path) throws IOException, InterruptedException {
        return CLIENT.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + managementPort + "/observe/" + path))
                .timeout(Duration.ofSeconds(5)).build(), BodyHandlers.ofString()).body();
    }

    /** The value of a metric without labels, or the sum over its labels. */
    public double metric(String name) throws IOException, InterruptedException {
        return observe("metrics").lines().filter(line -> line.matches(name + "(\\{.*\\})? .*"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1))).sum();
    }

    public URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }

    public HttpResponse<String> post(String body) throws IOException, InterruptedException {
        return CLIENT.send(HttpRequest.newBuilder(uri("/comments")).timeout(Duration.ofSeconds(20))
                .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(body)).build(),
                BodyHandlers.ofString());
    }

    public HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return CLIENT.send(HttpRequest.newBuilder(uri(path)).timeout(Duration.ofSeconds(20)).build(), BodyHandlers.ofString());
    }

    public int managementPort() {
        return managementPort;
    }

    public long pid() {
        return process.pid();
    }

    /** The lines that the process wrote; a line that is not complete yet is left out. */
    public Stream<String> log() throws IOException {
        // a process that was killed may leave half a character
        String text = new String(Files.readAllBytes(log), UTF_8);
        return text.substring(0, text.lastIndexOf('\n') + 1).lines();
    }

    /** The file that the process writes to. */
    public Path logFile() {
        return log;
    }

    /** How many comments the log says were pushed. */
    public int pushed() throws IOException {
        return log().filter(line -> line.contains("Pushed "))
                .mapToInt(line -> Integer.parseInt(line.replaceAll(".*Pushed (\\d+) .*", "$1"))).sum();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Stops the process where it is, until {@link #thaw}. */
    public void freeze() throws IOException, InterruptedException {
        signal("STOP");
        // on a busy machine, its threads run on until one of them has seen the signal
        Awaitility.await().pollInterval(Duration.ofMillis(1)).ignoreExceptions().until(this::isFrozen);
    }

    private boolean isFrozen() throws IOException {
        try (Stream<Path> threads = Files.list(Path.of("/proc", Long.toString(process.pid()), "task"))) {
            for (Path thread : threads.toList()) {
                String state = Files.readString(thread.resolve("stat"));
                if (!state.substring(state.lastIndexOf(')') + 2).startsWith("T")) {
                    return false;
                }
            }
        }
        return true;
    }

    public void thaw() throws IOException, InterruptedException {
        signal("CONT");
    }

    private void signal(String signal) throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start().waitFor();
    }

    /** Ends the process without warning: kill -9. */
    public void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
    }

    /** Tells the process to end, with SIGTERM; returns its exit code. */
    public int terminate() throws InterruptedException {
        requestEnd();
        return awaitEnd();
    }

    /** Tells the process to end, with SIGTERM. */
    public void requestEnd() {
        process.destroy();
    }

    /** Waits for the end of the process, a minute at most; returns its exit code. */
    public int awaitEnd() throws InterruptedException {
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
