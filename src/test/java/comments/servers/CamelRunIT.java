package comments.servers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import comments.support.CamelCli;
import comments.support.EventStream;
import comments.support.JarProcess;
import comments.support.Pom;
import comments.support.PrivateServers;
import comments.support.TestPipeline;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * {@code camel run} starts the routes as they are in routes/, by the Camel CLI itself, on real servers: as a developer, who may
 * do everything.
 */
class CamelRunIT {

    @RegisterExtension
    static final PrivateServers SERVERS = PrivateServers.unprepared();

    private static CamelCli camel;

    @BeforeAll
    static void install() throws Exception {
        camel = CamelCli.install(Pom.property("camel-cli.version"));
    }

    @BeforeEach
    void copyRoutes() throws IOException {
        camel.copyRoutes();
    }

    @AfterAll
    static void remove() throws Exception {
        if (camel != null) {
            camel.close();
        }
    }

    private static JarProcess run(String line, Object... settings) throws Exception {
        return SERVERS.start(camel.command(".", line), PrivateServers.ALL, settings);
    }

    /** Posts a comment; returns its id. */
    private static String post(JarProcess pipeline) throws Exception {
        var answer = pipeline.post(TestPipeline.COMMENT);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
        return answer.body().replaceAll(".*\"id\":\"(.*)\".*", "$1");
    }

    private static void awaitLine(JarProcess pipeline, String part) {
        await("a line with " + part).atMost(Duration.ofSeconds(60))
                .until(() -> pipeline.log().anyMatch(line -> line.contains(part)));
    }

    private static void assertThatItWorks(JarProcess pipeline) throws Exception {
        EventStream stream = EventStream.open(pipeline.uri("/comments/stream"));
        Set<String> posted = Set.of(post(pipeline), post(pipeline), post(pipeline));
        await().atMost(Duration.ofSeconds(60)).until(() -> pipeline.pushed() >= posted.size());
        assertThat(SERVERS.rows().keySet()).containsAll(posted);
        for (String id : posted) {
            assertThat(pipeline.get("/comments/" + id).body()).startsWith("{\"id\":\"" + id);
        }
        await().atMost(Duration.ofSeconds(30)).until(() -> stream.comments().containsAll(posted));
        for (String path : List.of("/", "/page.css", "/page.mjs", "/pipeline", "/openapi/swagger-ui.css")) {
            assertThat(pipeline.get(path).statusCode()).as(path).isEqualTo(200);
        }
        assertThat(pipeline.observe("metrics"))
                .contains("comments_accepted_total 3.0", "comments_waiting ", "comments_unsettled ");
        assertThat(pipeline.post("{}").statusCode()).isEqualTo(422);
    }

    @Test
    void theFolderRuns() throws Exception {
        assertThatItWorks(run("camel run --source-dir routes"));
    }

    private static void change(Path path, String from, String to) throws IOException {
        String before = Files.readString(path);
        assertThat(before).contains(from);
        // at once: the CLI must not read half a file
        Path changed = Files.writeString(Files.createTempFile("changed", ".yaml"), before.replace(from, to));
        Files.move(changed, path, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    @Test
    void aChangedRouteIsReloadedAndTheOthersGoOn() throws Exception {
        Path notifier = camel.routes().resolve("notification-service.camel.yaml");
        Path service = camel.routes().resolve("comment-service.camel.yaml");
        JarProcess pipeline = run("camel run --dev --source-dir routes");
        post(pipeline);
        awaitLine(pipeline, "Pushed 1 comment");
        change(notifier, "\"Pushed $", "\"Delivered $");
        long routes = Files.readString(notifier).lines().filter("- route:"::equals).count();
        awaitLine(pipeline, "Routes reloaded summary (total:%1$d started:%1$d)".formatted(routes));
        post(pipeline);
        awaitLine(pipeline, "Delivered 1 comment");
        change(service, "description: Accepts a comment", "description: Takes a comment");
        awaitLine(pipeline, "Started comment-service-publish (direct://publish-comments) (source:");
        String id = post(pipeline);
        await().atMost(Duration.ofSeconds(60)).until(() -> SERVERS.rows().containsKey(id));
        // the routes of other files have its pools and connections, which a reload would close
        change(camel.routes().resolve("connections.camel.yaml"), "writers:", "minimumIdle: 1\n        writers:");
        awaitLine(pipeline, "connections.camel.yaml can't be reloaded: end the process and start it again");
        String next = post(pipeline);
        await().atMost(Duration.ofSeconds(60)).until(() -> SERVERS.rows().containsKey(next));
        assertThat(pipeline.log()).noneMatch(line -> line.contains("\tat "));
    }

    /** The example in docs/extending.md. */
    @Test
    void aJavaRouteBesideOursConsumesNotificationsFromAQueueOfItsOwn() throws Exception {
        Files.copy(Path.of("src/examples/java/CountPosts.java"), camel.routes().resolve("CountPosts.java"));
        JarProcess pipeline = run("camel run --source-dir routes", "NOTIFICATIONS_PUSH_ENDPOINT", "direct:push-and-copy");
        post(pipeline);
        awaitLine(pipeline, "New comments by post: {p=1}");
        awaitLine(pipeline, "Pushed 1 comment");
        SERVERS.awaitDrained();
        assertThat(SERVERS.rabbitmq().messages("post-counts")).as("the example's queue").isZero();
    }

    @Test
    void aYamlRouteBesideOursTakesThePushes() throws Exception {
        String name = "push-to-file.camel.yaml";
        Files.copy(Path.of("src/examples/yaml", name), camel.routes().resolve(name));
        Path pushed = camel.routes().resolveSibling("pushed").resolve("pushed.ndjson");
        JarProcess pipeline = run("camel run --source-dir routes", "NOTIFICATIONS_PUSH_ENDPOINT", "direct:push-to-file");
        String id = post(pipeline);
        await().atMost(Duration.ofSeconds(60))
                .until(() -> Files.exists(pushed) && Files.readString(pushed).matches("(?s).*" + id + ".*\n"));
    }

    @Test
    void pushesOverHttpNeedNoFurtherDependency() throws Exception {
        List<String> signatures = new CopyOnWriteArrayList<>();
        HttpServer receiver = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        receiver.createContext("/", exchange -> {
            signatures.add(exchange.getRequestHeaders().getFirst("webhook-signature"));
            exchange.sendResponseHeaders(204, -1);
        });
        receiver.start();
        try {
            JarProcess pipeline = run("camel run --source-dir routes", "NOTIFICATIONS_PUSH_PRIVATE", "true",
                    "NOTIFICATIONS_PUSH_SECRET", "whsec_" + "A".repeat(32),
                    "NOTIFICATIONS_PUSH_ENDPOINT", "http://127.0.0.1:" + receiver.getAddress().getPort() + "/hook");
            post(pipeline);
            awaitLine(pipeline, "Pushed 1 comment");
            assertThat(signatures).singleElement().asString().startsWith("v1,");
        } finally {
            receiver.stop(0);
        }
    }

    @Test
    void thePackagedApplicationIsSeenByTheCli() throws Exception {
        JarProcess seen = SERVERS.launch(PrivateServers.ALL, "OBSERVE_EXCHANGES", true);
        JarProcess unseen = SERVERS.launch(PrivateServers.ALL);
        List.of(seen, unseen).forEach(JarProcess::awaitReady);
        await().atMost(Duration.ofSeconds(60)).until(() -> output("camel ps").contains(" " + seen.pid() + " "));
        assertThat(output("camel ps")).doesNotContain(" " + unseen.pid() + " ");
        assertThat(output("camel top context " + seen.pid())).contains("comments");
        assertThat(output("camel get route " + seen.pid())).contains("comment-service ", "direct://publish-comments");
    }

    private static String output(String line) throws IOException {
        Process process = camel.command(".", line).redirectErrorStream(true).start();
        return new String(process.getInputStream().readAllBytes(), UTF_8);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "COMMENTS_BATCH_SIZE | many | COMMENTS_BATCH_SIZE=many must be a whole number from 1 to 100000",
        "POSTGRES_URL | jdbc:postgresql://127.0.0.1:1/none | POSTGRES_URL, POSTGRES_USER, POSTGRES_PASSWORD: the database can't be used: Connection refused"})
    void aWrongKnobEndsTheStartWithOneLine(String name, String value, String complaint) throws Exception {
        ProcessBuilder command = camel.command(".", "camel run --source-dir routes").redirectErrorStream(true);
        command.environment().putAll(SERVERS.settings(PrivateServers.ALL, name, value));
        Process start = command.start();
        String printed = new String(start.getInputStream().readAllBytes(), UTF_8);
        assertThat(start.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(start.exitValue()).isEqualTo(1);
        assertThat(printed.lines().filter(line -> line.contains("comment-service: "))).as(printed).singleElement().asString()
                .startsWith("comment-service: " + complaint);
        assertThat(printed).doesNotContain("Exception", "\tat ");
    }
}
