package comments.support;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** A PostgreSQL cluster of a test's own, that of the {@link ServerRoot}, on loopback and in a folder that is thrown away. */
public final class PrivatePostgreSQL implements AutoCloseable {

    private static final String ACCOUNT = "postgres";

    private final Path folder;
    private final int port = Ports.find();
    private Process server;

    private PrivatePostgreSQL(Path folder) throws IOException {
        this.folder = folder;
    }

    /** Why no server can be started here, or null. */
    public static String missing() {
        return ServerRoot.postgresql().isPresent() ? null
                : "PostgreSQL is not installed in " + ServerRoot.outside("/usr/lib/postgresql");
    }

    public static PrivatePostgreSQL start() throws Exception {
        PrivatePostgreSQL cluster = new PrivatePostgreSQL(ServerRoot.newFolder("postgresql"));
        cluster.own(cluster.folder);
        Process initdb = cluster.command("initdb", "-D", cluster.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8",
                "--locale", "C").redirectErrorStream(true).redirectOutput(Path.of("target", "initdb.log").toFile()).start();
        if (initdb.waitFor() != 0) {
            throw new IOException("initdb failed: see target/initdb.log");
        }
        cluster.startServer();
        return cluster;
    }

    private String data() {
        return ServerRoot.inside(folder.resolve("data"));
    }

    // gives a file to the account that PostgreSQL runs as
    private void own(Path file) throws IOException, InterruptedException {
        if (isRoot()) {
            ServerRoot.command(List.of("chown", ACCOUNT, ServerRoot.inside(file))).start().waitFor();
        }
    }

    private static boolean isRoot() {
        return System.getProperty("user.name").equals("root");
    }

    // PostgreSQL refuses to run as root
    private ProcessBuilder command(String program, String... arguments) {
        List<String> command = new ArrayList<>();
        if (isRoot()) {
            command.addAll(List.of("setpriv", "--reuid", ACCOUNT, "--regid", ACCOUNT, "--clear-groups"));
        }
        command.add(ServerRoot.postgresql().orElseThrow() + "/" + program);
        command.addAll(List.of(arguments));
        return ServerRoot.command(command).directory(folder.toFile());
    }

    /** Starts the server, or starts it again after it was killed. */
    public void startServer() throws IOException {
        server = command("postgres", "-D", data(), "-p", Integer.toString(port), "-k", ServerRoot.inside(folder),
                "-c", "listen_addresses=127.0.0.1")
                .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        Awaitility.await().atMost(Duration.ofSeconds(30)).ignoreExceptions().until(() -> {
            connect().close();
            return true;
        });
    }

    /** Starts a standby of this server, for which it does not wait. */
    public PrivatePostgreSQL startReplica() throws Exception {
        PrivatePostgreSQL standby = new PrivatePostgreSQL(ServerRoot.newFolder("postgresql"));
        standby.own(standby.folder);
        Process backup = standby.command("pg_basebackup", "-h", "127.0.0.1", "-p", Integer.toString(port), "-U", "postgres",
                "-D", standby.data(), "-R", "-c", "fast").redirectErrorStream(true)
                .redirectOutput(Path.of("target", "pg_basebackup.log").toFile()).start();
        if (backup.waitFor() != 0) {
            throw new IOException("pg_basebackup failed: see target/pg_basebackup.log");
        }
        standby.startServer();
        return standby;
    }

    /** Starts a standby of this server, without which it commits nothing from then on. */
    public PrivatePostgreSQL startStandby() throws Exception {
        PrivatePostgreSQL standby = startReplica();
        execute("ALTER SYSTEM SET synchronous_standby_names = '*'");
        execute("SELECT pg_reload_conf()");
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> {
            try (Connection connection = connect(); Statement statement = connection.createStatement()) {
                return statement.executeQuery("SELECT FROM pg_stat_replication WHERE sync_state = 'sync'").next();
            }
        });
        return standby;
    }

    /** Makes a standby a primary. */
    public void promote() throws SQLException {
        execute("SELECT pg_promote()");
    }

    /** Starts a server that had a standby, if it does not run, and lets it commit without. */
    public void startAlone() throws Exception {
        if (!server.isAlive()) {
            startServer();
        }
        execute("ALTER SYSTEM RESET synchronous_standby_names");
        execute("SELECT pg_reload_conf()");
    }

    public int port() {
        return port;
    }

    public String url() {
        return url("postgres");
    }

    public String url(String database) {
        return "jdbc:postgresql://127.0.0.1:" + port + "/" + database;
    }

    public Connection connect() throws SQLException {
        return connect("postgres");
    }

    /** Connects to a database as the superuser. */
    public Connection connect(String database) throws SQLException {
        return DriverManager.getConnection(url(database), "postgres", "");
    }

    /** Executes a statement as the superuser. */
    public void execute(String sql) throws SQLException {
        try (Connection connection = connect(); Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Has it speak TLS, too. */
    void encrypt(TestCertificate certificate) throws Exception {
        Path key = folder.resolve("data").resolve("server.key");
        Files.copy(certificate.certificateFile(), folder.resolve("data").resolve("server.crt"));
        Files.copy(certificate.keyFile(), key);
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
        own(key);
        execute("ALTER SYSTEM SET ssl = on");
        execute("SELECT pg_reload_conf()");
    }

    /** Runs a script of psql in a database, with variables of the environment. */
    public void run(Path script, String database, Map<String, String> variables) throws IOException, InterruptedException {
        // as standard input, since the account may not read the folder of the project
        ProcessBuilder command = command("psql", "-h", "127.0.0.1", "-p", Integer.toString(port), "-U", "postgres", "-d", database)
                .redirectErrorStream(true).redirectInput(script.toFile());
        command.environment().putAll(variables);
        Process psql = command.start();
        String printed = new String(psql.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (psql.waitFor() != 0) {
            throw new IOException(script + ": " + printed);
        }
    }

    public boolean isRunning() {
        return server.isAlive();
    }

    /** Stops at once, without a checkpoint: what {@code pg_ctl stop -m immediate} does. */
    public void stopImmediately() throws Exception {
        signal("QUIT", Stream.of(server.toHandle()));
        server.waitFor(20, TimeUnit.SECONDS);
    }

    /** Stops the processes of the server where they are, until {@link #thaw}. */
    public void freeze() throws Exception {
        signal("STOP", Stream.concat(Stream.of(server.toHandle()), server.descendants()));
    }

    public void thaw() throws Exception {
        signal("CONT", Stream.concat(Stream.of(server.toHandle()), server.descendants()));
    }

    private static void signal(String signal, Stream<ProcessHandle> processes) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("kill", "-" + signal));
        processes.forEach(process -> command.add(Long.toString(process.pid())));
        new ProcessBuilder(command).start().waitFor();
    }

    @Override
    public void close() throws InterruptedException, IOException {
        // SIGINT, fast shutdown: Process.destroy would send SIGTERM, which waits for the clients to leave
        signal("INT", Stream.of(server.toHandle()));
        if (!server.waitFor(20, TimeUnit.SECONDS)) {
            server.destroyForcibly().waitFor();
        }
        TemporaryFolder.delete(folder);
    }
}
