package comments;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import comments.support.LoadTool;
import comments.support.LoadTool.Result;
import comments.support.OtherService;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
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

    /** What the last request to the server of load/run brought. */
    private volatile String authorization;

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
    void passwordsAreNotPrinted() throws Exception {
        for (String wrong : new String[] {"jdbc:postgres://one/comments?password=" + SECRET,
            "jdbc:postgresql://one:port/comments?password=p@" + SECRET,
            "jdbc:postgresql://ann:" + SECRET + "@one/comments"}) {
            assertHidden(withPipeline(422, "--postgres", wrong), "--postgres jdbc:postgres", "//one",
                    "jdbc:postgresql://HOST:PORT/DATABASE");
            assertHidden(LoadTool.run(Map.of("POSTGRES_URL", wrong, "POSTGRES_USER", "ann"), "load/inserts"),
                    "POSTGRES_URL=jdbc:postgres", "//one");
        }
        assertHidden(LoadTool.run(Map.of("POSTGRES_URL", "jdbc:postgresql://ann:" + SECRET + "@one/comments"),
                java("load/yardstick", "comments.yardstick.WriteBaseline")), "POSTGRES_URL=jdbc:postgresql://one/comments");
        // the library quotes what it can't parse
        assertHidden(withPipeline(422, "--rabbitmq", "amqp://guest:a " + SECRET + "@one"), "--rabbitmq amqp://one: ");
        assertHidden(LoadTool.run(Map.of("RABBITMQ_URI", "amqp://guest:a " + SECRET + "@one"),
                java("load/yardstick", "comments.yardstick.WriteBaseline")), "RABBITMQ_URI=amqp://one: ");
        assertHidden(LoadTool.run("load/original", "http://ann:" + SECRET + "@one"), "load/original: http://one: ");
        assertHidden(withPipeline(Map.of("LOAD_API_KEY", SECRET + "\n"), 422), "LOAD_API_KEY", "visible ASCII");
    }

    private static void assertHidden(Result result, String... words) {
        result.assertRefused(1, words);
        assertThat(result.errors() + result.output()).doesNotContain(SECRET);
    }

    @Test
    void aMissingOrWrongApiKeyIsNamed() throws Exception {
        withPipeline(401).assertRefused(1, "--url http://127.0.0.1:", "401", "COMMENTS_API_KEYS", "set LOAD_API_KEY");
        for (int status : new int[] {401, 403}) {
            Result wrong = withPipeline(Map.of("LOAD_API_KEY", SECRET), status);
            wrong.assertRefused(1, "--url http://127.0.0.1:", Integer.toString(status), "the key in LOAD_API_KEY", "COMMENTS_API_KEYS");
            assertThat(wrong.errors()).doesNotContain(SECRET);
        }
        assertThat(authorization).isEqualTo("Bearer " + SECRET);
    }

    @Test
    void anAddressOfSomethingElseIsNamed() throws Exception {
        withPipeline(404).assertRefused(1, "--url http://127.0.0.1:", "404", "POST /comments");
    }

    private Result withPipeline(int status, String... more) throws Exception {
        return withPipeline(Map.of(), status, more);
    }

    /** Runs load/run against a server that answers posts with a status, and has no metrics. */
    private Result withPipeline(Map<String, String> environment, int status, String... more) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            authorization = exchange.getRequestHeaders().getFirst("Authorization");
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
            return LoadTool.run(environment, loadRun(arguments.toArray(String[]::new)));
        } finally {
            server.stop(0);
        }
    }

    /** Before it puts load on it, and whatever the settings of the caller are. */
    @Test
    void aServiceThatCantBeComparedIsNamed() throws Exception {
        assertThat(Files.writeString(folder.resolve("wrk"), "").toFile().setExecutable(true)).isTrue();
        try (ServerSocket servers = listen()) {
            String address = "://127.0.0.1:" + servers.getLocalPort() + "/comments";
            Result compared = LoadTool.run(Map.of("PATH", folder + ":" + System.getenv("PATH"), "COMMENTS_API_KEYS", "ann:0",
                    "HTTP_TLS_CERTIFICATE", "none", "RABBITMQ_URI", "amqp" + address, "POSTGRES_URL", "jdbc:postgresql" + address),
                    "load/compare", "--ours", "other=" + OtherService.jar(folder.resolve("other.jar")));
            assertThat(compared.errors().lines()).containsExactly("starting other",
                    "load/compare: other answers 404 Not Found to POST /comments: it can't be compared");
            assertThat(compared.exit()).isEqualTo(1);
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

    @Test
    void aFolderThatCantBeWrittenIsNamed() throws Exception {
        Map<String, String> environment = Map.of("TMPDIR", folder.resolve("none").toString(), "POSTGRES_USER", "ann",
                "POSTGRES_URL", "jdbc:postgresql://one/comments");
        LoadTool.run(environment, "load/inserts").assertRefused(1, "load/inserts: TMPDIR=" + folder, "can't be written");
        Map<String, String> only = Map.of("TMPDIR", folder.resolve("none").toString());
        LoadTool.run(only, "load/servers").assertRefused(1, "load/servers: TMPDIR=" + folder, "can't be written");
        LoadTool.run(only, "load/compare", "--ours", "a=pom.xml").assertRefused(1, "load/compare: TMPDIR=" + folder, "can't be written");
    }

    /** A psql that answers at once: a batch takes 1.5 ms, and of the large table 3 ms. */
    private Result inserts(Map<String, String> more, String... arguments) throws Exception {
        Path psql = Files.writeString(folder.resolve("psql"), """
                #!/bin/sh
                full() {
                  echo "$1ERROR:  could not extend file: No space left on device" >&2
                  echo 'HINT:  Check free disk space.' >&2
                  exit 3
                }
                case "$*" in
                  *data_directory*) echo / ;;
                  *max_wal_size*) echo "${NEEDED:-1}" ;;
                  *'INSERT INTO comments'*) [ "$FULL" != fill ] || full ;;
                  *extract*) echo 1 ;;
                  *' -c '* | *' -f '*) ;;
                  *)
                    time=1.5
                    case "$*" in *large*) time=3.0 ;; esac
                    while read -r line; do
                      case "$line" in
                        *'timing off'*) echo "Time: $time ms"; [ "$FULL" != batch ] || full 'psql:<stdin>:9: ' ;;
                        '\\q') exit ;;
                      esac
                    done ;;
                esac
                """);
        assertThat(psql.toFile().setExecutable(true)).isTrue();
        Map<String, String> environment = new HashMap<>(Map.of("PATH", folder + ":" + System.getenv("PATH"), "POSTGRES_USER", "ann",
                "POSTGRES_URL", "jdbc:postgresql://one/comments"));
        environment.putAll(more);
        List<String> command = new ArrayList<>(List.of("load/inserts"));
        Collections.addAll(command, arguments);
        return LoadTool.run(environment, command.toArray(String[]::new));
    }

    /** The lines of errors without those that show the progress. */
    private static void assertFailed(Result result, String message) {
        assertThat(result.errors().lines().filter(line -> !line.matches("filling a table .*|\\s*(\\d+ %|batch \\d+ of \\d+)|")))
                .as(result.errors()).hasSize(1).first().asString().startsWith("load/inserts: ").contains(message);
        assertThat(result.exit()).isEqualTo(1);
    }

    @Test
    void insertsNeedRoom() throws Exception {
        inserts(Map.of("NEEDED", "999999999999"), "2000", "3")
                .assertRefused(1, "2000 rows and 3 batches need 999999999999 MB in /", "has room for");
        inserts(Map.of("NEEDED", "999999999999"), "fill", "2000").assertRefused(1, "2000 rows need 999999999999 MB in /", "has room for");
        assertFailed(inserts(Map.of("FULL", "fill"), "2000", "1"), "could not extend file: No space left on device");
        assertFailed(inserts(Map.of("FULL", "batch"), "2000", "1"), "could not extend file: No space left on device");
        assertFailed(inserts(Map.of("FULL", "batch"), "2000", "2"), "could not extend file: No space left on device");
    }

    @Test
    void insertsAreComparedWithThoseIntoAnEmptyTable() throws Exception {
        Result within = inserts(Map.of(), "--limit", "2.5", "2000", "3");
        assertThat(within.exit()).as(within.errors()).isZero();
        assertThat(within.output()).containsPattern("(?m)^current .*, 1\\.00 times as long as empty$")
                .containsPattern("(?m)^large .*, 2\\.00 times as long as empty$");
        assertFailed(inserts(Map.of(), "--limit", "1.9", "2000", "3"), "more than 1.9 times as long");
        inserts(Map.of(), "--limit", "much").assertRefused(1, "--limit much", "positive number");
    }

    /** It puts a batch in the place of the statement's parameter. */
    @Test
    void theStatementThatInsertsHasTheParameterThatTheToolReplaces() throws IOException {
        Matcher replaced = Pattern.compile("s/(:\\?\\w+)/").matcher(Files.readString(Path.of("load/inserts")));
        assertThat(replaced.find()).isTrue();
        assertThat(Files.readString(Path.of("routes/sql/insert-comments.sql"))).containsOnlyOnce(replaced.group(1));
    }
}
