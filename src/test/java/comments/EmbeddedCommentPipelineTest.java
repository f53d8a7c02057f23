package comments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.PossibleAuthenticationFailureException;
import comments.support.JarProcess;
import comments.support.TestPipeline;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run from source, as a process: other accounts of the machine can neither read its data nor use its servers. */
class EmbeddedCommentPipelineTest {

    private static final String INVALID_PASSWORD = "28P01";
    // it unpacks a PostgreSQL, and makes its databases
    private static final Duration START = Duration.ofMinutes(3);
    private static final Pattern PRINTED =
            Pattern.compile("AMQP broker at amqp://comments@127\\.0\\.0\\.1:(\\d+), PostgreSQL at (\\S+) as user postgres;");

    @TempDir
    Path folder;

    private JarProcess run() throws IOException {
        return JarProcess.launch(Map.of("COMMENTS_BATCH_INTERVAL", "50"), List.of("-Dembedded.data=" + folder.resolve("embedded"),
                "-cp", System.getProperty("java.class.path"), "comments.EmbeddedCommentPipeline")).awaitReady(START);
    }

    private String password() throws IOException {
        return Files.readString(folder.resolve("embedded/password")).strip();
    }

    private static Matcher printed(JarProcess run) throws IOException {
        return run.log().map(PRINTED::matcher).filter(Matcher::find).findFirst().orElseThrow();
    }

    private static int comments(String url, String password) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url, "postgres", password);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT count(*) FROM comments")) {
            row.next();
            return row.getInt(1);
        }
    }

    private static void assertThatNoOtherAccountConnects(JarProcess run) throws IOException {
        Matcher printed = printed(run);
        for (String guess : List.of("", "postgres", "guest")) {
            assertThatThrownBy(() -> comments(printed.group(2), guess)).isInstanceOfSatisfying(SQLException.class,
                    refused -> assertThat(refused.getSQLState()).isIn(INVALID_PASSWORD, "08004"));
            ConnectionFactory factory = new ConnectionFactory();
            factory.setPort(Integer.parseInt(printed.group(1)));
            for (String user : List.of("comments", "guest")) {
                factory.setUsername(user);
                factory.setPassword(guess);
                assertThatThrownBy(factory::newConnection).isInstanceOf(PossibleAuthenticationFailureException.class);
            }
        }
    }

    private static List<String> arguments(long pid) throws IOException {
        List<String> found = new ArrayList<>();
        for (ProcessHandle process : ProcessHandle.of(pid).orElseThrow().descendants().toList()) {
            found.add(Files.readString(Path.of("/proc", Long.toString(process.pid()), "cmdline"), StandardCharsets.ISO_8859_1));
        }
        return found;
    }

    @Test
    void onlyItsOwnAccountReadsItsDataAndConnectsToItsServers() throws Exception {
        String first;
        try (JarProcess run = run()) {
            assertThat(run.post(TestPipeline.COMMENT).statusCode()).isEqualTo(202);
            first = password();
            assertThat(first).hasSize(32);
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("embedded")))).isEqualTo("rwx------");
            for (String file : List.of("password", "broker/broker.json")) {
                assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("embedded").resolve(file))))
                        .as(file).isEqualTo("rw-------");
            }
            assertThatNoOtherAccountConnects(run);
            await().atMost(Duration.ofSeconds(10)).until(() -> comments(printed(run).group(2), first) == 1);
            assertThat(run.log()).noneMatch(line -> line.contains(first));
            assertThat(arguments(run.pid())).noneMatch(line -> line.contains(first));
        }
        try (JarProcess run = run()) {
            assertThat(password()).isEqualTo(first);
            assertThat(comments(printed(run).group(2), first)).isEqualTo(1);
        }
    }

    /** Former versions made no password; a password that was lost is the same. */
    @Test
    void theDataOfAFormerVersionGetAPassword() throws Exception {
        try (JarProcess run = run()) {
            assertThat(run.post(TestPipeline.COMMENT).statusCode()).isEqualTo(202);
            await().atMost(Duration.ofSeconds(10)).until(() -> run.pushed() == 1);
        }
        Path rules = folder.resolve("embedded/postgresql/pg_hba.conf");
        Files.writeString(rules, Files.readString(rules).replace("scram-sha-256", "trust"));
        Files.delete(folder.resolve("embedded/password"));
        Files.setPosixFilePermissions(folder.resolve("embedded"), PosixFilePermissions.fromString("rwxr-xr-x"));
        try (JarProcess run = run()) {
            assertThat(comments(printed(run).group(2), password())).isEqualTo(1);
            assertThatNoOtherAccountConnects(run);
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("embedded")))).isEqualTo("rwx------");
        }
    }

    @Test
    void httpListensOnLoopbackOnly() throws Exception {
        // 127.0.0.2 reaches a server that listens on all addresses
        ProcessBuilder command = JarProcess.java(List.of("-Dembedded.data=none", "-cp", System.getProperty("java.class.path"),
                "comments.EmbeddedCommentPipeline"));
        int http = FreePort.find();
        command.environment().keySet().removeIf(name -> name.matches("HTTP_HOST|RABBITMQ_URI|POSTGRES_.*"));
        command.environment().putAll(Map.of("HTTP_PORT", Integer.toString(http), "MANAGEMENT_PORT", Integer.toString(FreePort.find())));
        Process run = command.redirectErrorStream(true).redirectOutput(folder.resolve("log").toFile()).start();
        try {
            await().atMost(START).ignoreExceptions().until(() -> {
                new Socket("127.0.0.1", http).close();
                return true;
            });
            assertThatThrownBy(() -> new Socket("127.0.0.2", http)).isInstanceOf(ConnectException.class);
        } finally {
            run.destroy();
            run.waitFor();
        }
    }
}
