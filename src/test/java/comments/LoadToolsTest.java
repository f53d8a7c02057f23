package comments;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import comments.support.LoadTool;
import comments.support.LoadTool.Result;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The tools of load/ say in one line what they can't do: the value, and what would be right. */
class LoadToolsTest {

    private static final String SECRET = "hunter2";
    // no server can listen on it: clients can't ask for it
    private static final String NOTHING = "127.0.0.1:1";

    @TempDir
    private Path folder;

    @BeforeAll
    static void compile() throws Exception {
        Result help = LoadTool.run("load/run", "--help");
        assertThat(help.exit()).as(help.errors() + help.output()).isZero();
        Result compiled = LoadTool.run("mvn", "-q", "-B", "-ntp", "-f", "load/yardstick/pom.xml", "compile");
        assertThat(compiled.exit()).as(compiled.errors() + compiled.output()).isZero();
    }

    /** As load/run, without Maven. */
    private static String[] loadRun(String... arguments) throws IOException {
        return java("load", "comments.load.LoadTest", arguments);
    }

    private static String[] java(String folder, String main, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("java", "-cp",
                folder + "/target/classes:" + Files.readString(Path.of(folder, "target/classpath")).strip(), main));
        Collections.addAll(command, arguments);
        return command.toArray(String[]::new);
    }

    /** In a folder on a disk that has 64 KiB, at a path that only this command sees. */
    private Result onFullDisk(String... command) throws Exception {
        List<String> all = new ArrayList<>(List.of("unshare", "--map-root-user", "--mount", "sh", "-c",
                "mount -t tmpfs -o size=64k none \"$TMPDIR\" && exec \"$@\"", "sh"));
        Collections.addAll(all, command);
        return LoadTool.run(Map.of("TMPDIR", folder.toString()), all.toArray(String[]::new));
    }

    @Test
    void wrongNumbersAreNamed() throws Exception {
        for (String[] wrong : new String[][] {{"--rates", "0"}, {"--rates", "fast"}, {"--pages", "2"}, {"--seconds", "-1"},
            {"--connections", "0"}, {"--content", "10001"}, {"--reads", "-5"}, {"--speed", "9"}}) {
            LoadTool.run(loadRun(wrong)).assertRefused(2, wrong[0], "load/run --help");
        }
        LoadTool.run(loadRun("backlog", "--processor", "pid", "--group", "0")).assertRefused(2, "--group 0", "from 1");
        LoadTool.run("load/compare", "--ours", "a=pom.xml", "--rounds", "0").assertRefused(1, "--rounds 0", "positive number");
        LoadTool.run("load/scale-out", "some").assertRefused(1, "some", "from 1 to 9999");
        LoadTool.run(Map.of("AMQP_PORT", "99999"), "load/servers").assertRefused(1, "AMQP_PORT=99999", "from 1 to 65535");
    }

    @Test
    void aMissingJarIsNamed() throws Exception {
        LoadTool.run("load/compare", "--ours", "new=target/none.jar").assertRefused(1, "target/none.jar", "mvn package");
    }

    @Test
    void wrongAddressesAreNamed() throws Exception {
        LoadTool.run(loadRun("--url", "ftp://one/comments")).assertRefused(2, "ftp://one/comments", "http://127.0.0.1:8080/comments");
        withPipeline(422, "--rabbitmq", "http://" + SECRET + "@one").assertRefused(1, "--rabbitmq http://one");
        LoadTool.run("load/original", "ftp://one").assertRefused(1, "ftp://one", "http://127.0.0.1:8080/comments");
        LoadTool.run(Map.of("POSTGRES_URL", "one"), "load/inserts").assertRefused(1, "POSTGRES_URL=one", "jdbc:postgresql://");
        LoadTool.run(Map.of("POSTGRES_URL", "one"), java("load/yardstick", "comments.yardstick.ReadBaseline"))
                .assertRefused(1, "POSTGRES_URL=one", "jdbc:postgresql://");
        LoadTool.run(Map.of("HTTP_PORT", "web"), java("load/yardstick", "comments.yardstick.WriteBaseline"))
                .assertRefused(1, "HTTP_PORT=web", "from 1 to 65535");
    }

    @Test
    void addressesThatCantBeReachedAreNamed() throws Exception {
        LoadTool.run(loadRun("--report", folder.toString(), "--url", "http://" + NOTHING + "/comments"))
                .assertRefused(1, "--url http://" + NOTHING + "/comments", "nothing listens");
        Result broker = withPipeline(422, "--rabbitmq", "amqp://guest:" + SECRET + "@" + NOTHING);
        broker.assertRefused(1, "--rabbitmq amqp://" + NOTHING, "nothing listens");
        assertThat(broker.errors()).doesNotContain(SECRET);
        try (EmbeddedBroker reached = EmbeddedBroker.startInMemory()) {
            withPipeline(422, "--rabbitmq", reached.uri(), "--postgres", "jdbc:postgresql://" + NOTHING + "/comments?password=" + SECRET)
                    .assertRefused(1, "--postgres jdbc:postgresql://" + NOTHING + "/comments: nothing listens");
        }
        LoadTool.run(Map.of("RABBITMQ_URI", "amqp://" + NOTHING, "POSTGRES_URL", "jdbc:postgresql://" + NOTHING + "/comments"),
                "load/compare", "--ours", "a=pom.xml").assertRefused(1, "RABBITMQ_URI", NOTHING, "load/servers");
        LoadTool.run(Map.of("RABBITMQ_URI", "amqp://guest:" + SECRET + "@" + NOTHING),
                java("load/yardstick", "comments.yardstick.WriteBaseline")).assertRefused(1, "RABBITMQ_URI=amqp://" + NOTHING);
        LoadTool.run(Map.of("POSTGRES_URL", "jdbc:postgresql://" + NOTHING + "/comments"),
                java("load/yardstick", "comments.yardstick.ReadBaseline")).assertRefused(1, "POSTGRES_URL=jdbc:postgresql://" + NOTHING);
        LoadTool.run("load/original", "http://" + NOTHING + "/comments").assertRefused(1, NOTHING, "nothing listens");
    }

    @Test
    void anAddressOfSomethingElseIsNamed() throws Exception {
        withPipeline(404).assertRefused(1, "--url http://127.0.0.1:", "404", "POST /comments");
    }

    /** Runs load/run against a server that answers posts with a status, and has no metrics. */
    private Result withPipeline(int status, String... more) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            byte[] body = "{}".getBytes(UTF_8);
            exchange.sendResponseHeaders(status, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        try {
            List<String> arguments = new ArrayList<>(List.of("--report", folder.toString(), "--url",
                    "http://127.0.0.1:" + server.getAddress().getPort() + "/comments"));
            Collections.addAll(arguments, more);
            return LoadTool.run(loadRun(arguments.toArray(String[]::new)));
        } finally {
            server.stop(0);
        }
    }

    @Test
    void aPortInUseIsNamed() throws Exception {
        try (ServerSocket taken = listen()) {
            String port = "AMQP_PORT=" + taken.getLocalPort();
            LoadTool.run(Map.of("AMQP_PORT", Integer.toString(taken.getLocalPort())), "load/servers")
                    .assertRefused(1, port, "in use", "set AMQP_PORT");
        }
    }

    /** Below the ports of clients; load/servers adds 20,000 to its port. */
    private static ServerSocket listen() throws IOException {
        for (int port = 12_000; port < 13_000; port++) {
            try {
                return new ServerSocket(port, 1, InetAddress.getLoopbackAddress());
            } catch (IOException e) {
                // it is taken: the next
            }
        }
        throw new IOException("no port is free from 12000 to 12999");
    }

    @Test
    void aFullDiskIsNamed() throws Exception {
        onFullDisk(loadRun("--report", folder.toString())).assertRefused(1, "--report " + folder, "No space left on device");
        onFullDisk("load/compare", "--ours", "a=pom.xml").assertRefused(1, "TMPDIR=" + folder, "no room");
        Path file = Files.writeString(folder.resolve("file"), "");
        LoadTool.run(loadRun("--report", file.toString())).assertRefused(1, "--report " + file, "no folder");
    }

    /** It puts a batch in the place of the statement's parameter. */
    @Test
    void theStatementThatInsertsHasTheParameterThatTheToolReplaces() throws IOException {
        Matcher replaced = Pattern.compile("s/(:\\?\\w+)/").matcher(Files.readString(Path.of("load/inserts")));
        assertThat(replaced.find()).isTrue();
        assertThat(Files.readString(Path.of("routes/sql/insert-comments.sql"))).containsOnlyOnce(replaced.group(1));
    }
}
