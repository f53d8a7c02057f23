package comments.support;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A RabbitMQ node of a test's own, as Debian's package installs it in the {@link ServerRoot}, on loopback and in a folder that
 * is thrown away.
 */
public final class PrivateRabbitMQ implements AutoCloseable {

    private static final String BIN = "/usr/lib/rabbitmq/bin";
    private static final Duration START_TIMEOUT = Duration.ofMinutes(1);
    // a queue of which not all of it is known is an error, and not left out
    private static final String LIST_QUEUES = """
            lists:map(
                fun([{name, {resource, _, queue, Name}}, {_, Ready}, {_, Unacknowledged}, {_, Consumers}])
                    when is_integer(Ready), is_integer(Unacknowledged), is_integer(Consumers) ->
                    {binary_to_list(Name), Ready, Unacknowledged, Consumers} end,
                rabbit_amqqueue:info_all(<<"/">>, [name, messages_ready, messages_unacknowledged, consumers])).
            """;
    private static final Pattern QUEUE = Pattern.compile("\\{\"([^\"]+)\",\\s*(\\d+),\\s*(\\d+),\\s*(\\d+)}");

    private final Path folder;
    private final int port = Ports.find();
    private final int tlsPort = Ports.find();
    private final Map<String, String> environment;
    private Process server;
    private Instant started = Instant.EPOCH;

    private PrivateRabbitMQ(Path folder) throws IOException {
        this(folder, folder, Ports.find());
    }

    // nodes of one cluster share the home folder, which has the cookie, and the port mapper
    private PrivateRabbitMQ(Path folder, Path home, int epmdPort) throws IOException {
        this.folder = folder;
        environment = Map.ofEntries(
                Map.entry("HOME", ServerRoot.inside(home)),
                Map.entry("RABBITMQ_NODENAME", "test" + port + "@localhost"),
                Map.entry("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1"),
                Map.entry("RABBITMQ_NODE_PORT", Integer.toString(port)),
                Map.entry("RABBITMQ_DIST_PORT", Integer.toString(Ports.find())),
                Map.entry("RABBITMQ_MNESIA_BASE", ServerRoot.inside(folder.resolve("mnesia"))),
                Map.entry("RABBITMQ_LOG_BASE", ServerRoot.inside(folder.resolve("log"))),
                Map.entry("RABBITMQ_PID_FILE", ServerRoot.inside(folder.resolve("pid"))),
                Map.entry("RABBITMQ_ENABLED_PLUGINS_FILE", ServerRoot.inside(folder.resolve("plugins"))),
                Map.entry("RABBITMQ_PLUGINS_DIR", plugins()),
                Map.entry("RABBITMQ_CONFIG_FILE", ServerRoot.inside(folder.resolve("rabbitmq.conf"))),
                Map.entry("PATH", BIN + ":" + System.getenv("PATH")),
                // what rabbitmqctl says of a quorum queue is this old at most, and an idle node leaves the cores to others
                Map.entry("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-rabbit quorum_tick_interval 250 +sbwt none"),
                Map.entry("ERL_EPMD_ADDRESS", "127.0.0.1"),
                Map.entry("ERL_EPMD_PORT", Integer.toString(epmdPort)));
    }

    // rabbitmq-plugins 4.0 of Debian doesn't find it by itself
    private static String plugins() throws IOException {
        Path program = Path.of(BIN, "rabbitmq-plugins");
        Path target = Files.readSymbolicLink(ServerRoot.outside(program.toString()));
        return program.resolveSibling(target).normalize().getParent().resolveSibling("plugins").toString();
    }

    /** Why no node can be started here, or null. */
    public static String missing() {
        Path bin = ServerRoot.outside(BIN);
        return Files.isExecutable(bin.resolve("rabbitmq-server")) ? null : "RabbitMQ is not installed in " + bin;
    }

    // with the cookie: else the node and rabbitmqctl, which start at the same time, may make one each
    private static Path newFolder() throws IOException {
        Path folder = ServerRoot.newFolder("rabbitmq");
        Path cookie = Files.writeString(folder.resolve(".erlang.cookie"), UUID.randomUUID().toString());
        Files.setPosixFilePermissions(cookie, PosixFilePermissions.fromString("r--------"));
        return folder;
    }

    public static PrivateRabbitMQ start() throws Exception {
        PrivateRabbitMQ node = new PrivateRabbitMQ(newFolder());
        Files.writeString(node.folder.resolve("plugins"), "[].");
        node.startServer();
        return node;
    }

    /** Starts the nodes of a cluster. */
    public static List<PrivateRabbitMQ> startCluster(int size) throws Exception {
        List<PrivateRabbitMQ> nodes = new ArrayList<>(List.of(start()));
        PrivateRabbitMQ first = nodes.get(0);
        while (nodes.size() < size) {
            PrivateRabbitMQ node = new PrivateRabbitMQ(newFolder(), first.folder,
                    Integer.parseInt(first.environment.get("ERL_EPMD_PORT")));
            nodes.add(node);
            Files.writeString(node.folder.resolve("plugins"), "[].");
            node.startServer();
            node.ctl("stop_app");
            node.ctl("join_cluster", first.name());
            node.ctl("start_app");
        }
        return nodes;
    }

    /** Starts a node that speaks TLS on {@link #tlsPort}, too. */
    static PrivateRabbitMQ start(TestCertificate certificate) throws Exception {
        PrivateRabbitMQ node = new PrivateRabbitMQ(newFolder());
        Files.writeString(node.folder.resolve("plugins"), "[].");
        Files.writeString(node.folder.resolve("rabbitmq.conf"), """
                listeners.ssl.1 = 127.0.0.1:%d
                ssl_options.cacertfile = %s
                ssl_options.certfile = %2$s
                ssl_options.keyfile = %s
                """.formatted(node.tlsPort, node.copy(certificate.certificateFile()), node.copy(certificate.keyFile())));
        node.startServer();
        return node;
    }

    /** Starts the node, or starts it again after it was killed. */
    public void startServer() throws Exception {
        // that of a node that was killed
        Files.deleteIfExists(folder.resolve("pid"));
        server = command(List.of(BIN + "/rabbitmq-server"))
                .redirectErrorStream(true).redirectOutput(folder.resolve("out").toFile()).start();
        try {
            ctl("wait", "--timeout", Long.toString(START_TIMEOUT.toSeconds()), ServerRoot.inside(folder.resolve("pid")));
        } catch (IOException e) {
            server.descendants().forEach(ProcessHandle::destroyForcibly);
            server.destroyForcibly();
            throw new IOException(e.getMessage() + lastLines(), e);
        }
        started = Instant.now();
    }

    private String lastLines() throws IOException {
        Path log = folder.resolve("log").resolve(name() + ".log");
        List<String> lines = Files.exists(log) ? Files.readAllLines(log) : Files.readAllLines(folder.resolve("out"));
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 5), lines.size()));
    }

    private ProcessBuilder command(List<String> command) {
        ProcessBuilder builder = ServerRoot.command(command);
        builder.environment().putAll(environment);
        return builder;
    }

    /** Copies a file to where the node sees it; returns its path there. */
    private String copy(Path file) throws IOException {
        return ServerRoot.inside(Files.copy(file, folder.resolve(file.getFileName()), StandardCopyOption.COPY_ATTRIBUTES,
                StandardCopyOption.REPLACE_EXISTING));
    }

    /** Runs a script that calls rabbitmqctl, and finds the files of its own folder that it is given. */
    public void run(Path script, Map<String, String> variables, String... beside) throws IOException, InterruptedException {
        for (String file : beside) {
            copy(script.resolveSibling(file));
        }
        ProcessBuilder builder = command(List.of(copy(script))).redirectErrorStream(true);
        builder.environment().putAll(variables);
        Process process = builder.start();
        String printed = new String(process.getInputStream().readAllBytes(), UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(script + ": " + printed);
        }
    }

    /** Runs rabbitmqctl; returns what it prints. */
    public String ctl(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(BIN + "/rabbitmqctl", "-q"));
        command.addAll(List.of(arguments));
        Process process = command(command).redirectErrorStream(true).start();
        String printed = new String(process.getInputStream().readAllBytes(), UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", command) + ": " + printed);
        }
        return printed;
    }

    public int port() {
        return port;
    }

    public int tlsPort() {
        return tlsPort;
    }

    /** The name of the node, by which the others of its cluster know it. */
    public String name() {
        return environment.get("RABBITMQ_NODENAME");
    }

    public boolean isRunning() {
        return server.isAlive();
    }

    /** Whether it was started no longer than this ago. */
    boolean isYoungerThan(Duration age) {
        return started.isAfter(Instant.now().minus(age));
    }

    public String uri() {
        return "amqp://guest:guest@127.0.0.1:" + port;
    }

    /** A queue as {@code rabbitmqctl list_queues} shows it. */
    public record Queue(String name, long ready, long unacknowledged, long consumers) {

        public long messages() {
            return ready + unacknowledged;
        }
    }

    /** All queues, by name. */
    public Map<String, Queue> queues() throws IOException, InterruptedException {
        return QUEUE.matcher(evaluate(LIST_QUEUES)).results()
                .map(queue -> new Queue(queue.group(1), Long.parseLong(queue.group(2)), Long.parseLong(queue.group(3)),
                        Long.parseLong(queue.group(4))))
                .collect(Collectors.toMap(Queue::name, Function.identity()));
    }

    // rabbitmqctl takes a second to start, which is too long to ask again and again
    private String evaluate(String erlang) throws IOException, InterruptedException {
        Process process = command(List.of("erl_call", "-sname", environment.get("RABBITMQ_NODENAME"),
                "-c", Files.readString(ServerRoot.outside(environment.get("HOME")).resolve(".erlang.cookie")), "-e"))
                .redirectErrorStream(true).start();
        try (OutputStream expression = process.getOutputStream()) {
            expression.write(erlang.getBytes(UTF_8));
        }
        String printed = new String(process.getInputStream().readAllBytes(), UTF_8);
        if (process.waitFor() != 0 || !printed.startsWith("{ok,")) {
            throw new IOException(erlang + ": " + printed);
        }
        return printed;
    }

    /** How many messages are in a queue, delivered ones included; -1 if there is no such queue. */
    public long messages(String queue) throws IOException, InterruptedException {
        Queue found = queues().get(queue);
        return found == null ? -1 : found.messages();
    }

    /** Ends the node without warning. */
    public void kill() throws Exception {
        long pid = Long.parseLong(Files.readString(folder.resolve("pid")).strip());
        ProcessHandle node = ProcessHandle.of(pid).orElseThrow();
        node.destroyForcibly();
        node.onExit().get(10, TimeUnit.SECONDS);
        server.waitFor(10, TimeUnit.SECONDS);
    }

    @Override
    public void close() throws Exception {
        if (server.isAlive()) {
            ctl("stop", ServerRoot.inside(folder.resolve("pid")));
        }
        command(List.of("epmd", "-kill")).start().waitFor();
        TemporaryFolder.delete(folder);
    }
}
