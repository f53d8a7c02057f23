package comments.support;

import comments.FreePort;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;

/** A PgBouncer on loopback that pools transactions of a PostgreSQL, with few connections to it. */
public final class PgBouncer implements AutoCloseable {

    private static final Path PROGRAM = Path.of("/usr/sbin/pgbouncer");
    private static final String ACCOUNT = "postgres";

    private final Path folder = Files.createTempDirectory("pgbouncer");
    private final int port = FreePort.find();
    private final Process process;

    /**
     * Starts it.
     *
     * @param users with their passwords
     */
    public PgBouncer(PrivatePostgreSQL server, int connections, Map<String, String> users) throws Exception {
        // it refuses to run as root, and another account must read its files
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path list = Files.writeString(folder.resolve("users"), users.entrySet().stream()
                .map(user -> "\"%s\" \"%s\"\n".formatted(user.getKey(), user.getValue())).collect(Collectors.joining()));
        Path settings = Files.writeString(folder.resolve("settings"), """
                [databases]
                * = host=127.0.0.1 port=%d
                [pgbouncer]
                listen_addr = 127.0.0.1
                listen_port = %d
                unix_socket_dir =
                auth_type = trust
                auth_file = %s
                pool_mode = transaction
                default_pool_size = %d
                ignore_startup_parameters = extra_float_digits
                """.formatted(server.port(), port, list, connections));
        List<String> command = new ArrayList<>();
        if (System.getProperty("user.name").equals("root")) {
            command.addAll(List.of("setpriv", "--reuid", ACCOUNT, "--regid", ACCOUNT, "--clear-groups"));
        }
        command.addAll(List.of(PROGRAM.toString(), settings.toString()));
        process = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(Path.of("target", "pgbouncer.log").toFile()).start();
        Awaitility.await().atMost(Duration.ofSeconds(10)).ignoreExceptions().until(() -> {
            new java.net.Socket("127.0.0.1", port).close();
            return true;
        });
    }

    /** Why it can't be started here, or null. */
    public static String missing() {
        return Files.isExecutable(PROGRAM) ? null : "PgBouncer is not installed as " + PROGRAM;
    }

    public int port() {
        return port;
    }

    @Override
    public void close() throws IOException, InterruptedException {
        process.destroy();
        if (!process.waitFor(10, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
        }
        TemporaryFolder.delete(folder);
    }
}
