package comments;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A real PostgreSQL, unpacked from a jar, as a child process on loopback: for trials and for tests. */
public final class EmbeddedPostgreSQL implements AutoCloseable {

    private static final String DATABASE = "postgres";
    private static final String USER = "postgres";
    private static final Duration START_TIMEOUT = Duration.ofMinutes(1);
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(10);
    private static final String AUTHENTICATION = "scram-sha-256";
    private static final String RULES = "pg_hba.conf";

    private final EmbeddedPostgres postgres;
    private final String password;

    private EmbeddedPostgreSQL(EmbeddedPostgres.Builder builder, String password) throws IOException {
        this.password = password;
        // as a file, since other accounts see the arguments of initdb
        Path file = Files.createTempFile("embedded-postgresql", ".password");
        try {
            Files.writeString(file, password);
            this.postgres = builder
                    .setPGStartupWait(START_TIMEOUT)
                    // these two are options of initdb: the library has no other way to add some
                    .setLocaleConfig("pwfile", file.toString())
                    .setLocaleConfig("auth", AUTHENTICATION)
                    .setConnectConfig("password", password)
                    .setServerConfig("unix_socket_directories", "")
                    // both are off by default, but the pipeline promises durability
                    .setServerConfig("fsync", "on")
                    .setServerConfig("synchronous_commit", "on")
                    // close() ends it, after the pipeline has ended
                    .setRegisterShutdownHook(false)
                    .start();
        } finally {
            Files.delete(file);
        }
    }

    /**
     * Starts a server whose databases are in a folder.
     *
     * @param data the folder; it may be empty, or have the data of an earlier run
     * @param password of its only user
     * @param changed whether the data of an earlier run has another password, or none, as former versions had
     */
    static EmbeddedPostgreSQL startIn(Path data, String password, boolean changed) throws IOException {
        stopLeftover(data);
        Files.createDirectories(data);
        if (changed && Files.exists(data.resolve(RULES))) {
            changePassword(data, password);
        }
        return new EmbeddedPostgreSQL(in(data), password);
    }

    /** Starts a server with a random password, whose data is lost when it ends. */
    public static EmbeddedPostgreSQL startInTemporaryFolder() throws IOException {
        return new EmbeddedPostgreSQL(EmbeddedPostgres.builder().setDataDirectory(Files.createTempDirectory("embedded-postgresql")),
                EmbeddedPassword.random());
    }

    private static EmbeddedPostgres.Builder in(Path data) {
        return EmbeddedPostgres.builder().setDataDirectory(data).setCleanDataDirectory(false);
    }

    // Only the server can change it. For the moment that this takes, it needs no password, as it did not before.
    private static void changePassword(Path data, String password) throws IOException {
        setAuthentication(data, "trust");
        try (EmbeddedPostgreSQL open = new EmbeddedPostgreSQL(in(data), password);
                Connection connection = open.postgres.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("ALTER ROLE %s PASSWORD '%s'".formatted(USER, password));
        } catch (SQLException e) {
            throw new IOException("the password can't be changed: " + e.getMessage(), e);
        }
        setAuthentication(data, AUTHENTICATION);
    }

    private static void setAuthentication(Path data, String method) throws IOException {
        Path rules = data.resolve(RULES);
        Files.writeString(rules, Files.readString(rules).replaceAll("(?m)^((?:local|host)\\s.*\\s)\\S+$", "$1" + method));
    }

    // A JVM that was killed could not stop its server.
    private static void stopLeftover(Path data) throws IOException {
        Path pidFile = data.resolve("postmaster.pid");
        if (!Files.exists(pidFile)) {
            return;
        }
        // of a server that was killed while it wrote the file, there may be none
        String first = Files.readString(pidFile).lines().findFirst().orElse("").strip();
        if (!first.matches("\\d{1,18}")) {
            return;
        }
        long pid = Long.parseLong(first);
        // another process may have the number by now
        Optional<ProcessHandle> leftover = ProcessHandle.of(pid).filter(process -> process.info().command().orElse("").endsWith("postgres")
                && Stream.of(process.info().arguments().orElse(new String[0])).anyMatch(data.toString()::equals));
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

    /** Its only user. */
    public String user() {
        return USER;
    }

    /** The password of its user. */
    public String password() {
        return password;
    }

    @Override
    public void close() throws IOException {
        postgres.close();
    }
}
