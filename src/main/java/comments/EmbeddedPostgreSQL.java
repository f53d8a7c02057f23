package comments;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A real PostgreSQL, unpacked from a jar, as a child process on loopback: for trials and for tests. */
public final class EmbeddedPostgreSQL implements AutoCloseable {

    private static final String DATABASE = "postgres";
    private static final Duration START_TIMEOUT = Duration.ofMinutes(1);
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(10);

    private final EmbeddedPostgres postgres;

    private EmbeddedPostgreSQL(EmbeddedPostgres.Builder builder) throws IOException {
        this.postgres = builder
                .setPGStartupWait(START_TIMEOUT)
                // both are off by default, but the pipeline promises durability
                .setServerConfig("fsync", "on")
                .setServerConfig("synchronous_commit", "on")
                // close() ends it, after the pipeline has ended
                .setRegisterShutdownHook(false)
                .start();
    }

    /**
     * Starts a server whose databases are in a folder.
     *
     * @param data the folder; it may be empty, or have the data of an earlier run
     */
    static EmbeddedPostgreSQL startIn(Path data) throws IOException {
        stopLeftover(data);
        Files.createDirectories(data);
        return new EmbeddedPostgreSQL(
                EmbeddedPostgres.builder().setDataDirectory(data).setCleanDataDirectory(false));
    }

    /** Starts a server whose data is lost when it ends. */
    public static EmbeddedPostgreSQL startInTemporaryFolder() throws IOException {
        return new EmbeddedPostgreSQL(
                EmbeddedPostgres.builder().setDataDirectory(Files.createTempDirectory("embedded-postgresql")));
    }

    // A JVM that was killed could not stop its server.
    private static void stopLeftover(Path data) throws IOException {
        Path pidFile = data.resolve("postmaster.pid");
        if (!Files.exists(pidFile)) {
            return;
        }
        long pid = Long.parseLong(Files.readAllLines(pidFile).get(0).strip());
        Optional<ProcessHandle> leftover = ProcessHandle.of(pid)
                .filter(process -> process.info().command().orElse("").endsWith("postgres"));
        if (leftover.isPresent()) {
            leftover.get().destroy();
            try {
                leftover.get().onExit().get(STOP_TIMEOUT.toSeconds(), TimeUnit.SECONDS);
            } catch (Exception e) {
                throw new IOException("the PostgreSQL server %d of an earlier run doesn't end".formatted(pid), e);
            }
        }
    }

    /** Its address, as a JDBC URL. */
    public String url() {
        return "jdbc:postgresql://127.0.0.1:%d/%s".formatted(postgres.getPort(), DATABASE);
    }

    /** Its only user; any password works. */
    public String user() {
        return "postgres";
    }

    @Override
    public void close() throws IOException {
        postgres.close();
    }
}
