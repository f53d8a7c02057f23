package comments.servers;

import static comments.support.PrivateServers.VERSIONS;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import comments.support.EventStream;
import comments.support.EventStream.Event;
import comments.support.JarProcess;
import comments.support.PrivateServers;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** GET /comments/stream of the packaged application as processes; those that write are the same for all tests. */
@Tag(VERSIONS)
class CommentStreamIT {

    private static final ObjectMapper JSON = new ObjectMapper();

    @RegisterExtension
    static final PrivateServers SERVERS = PrivateServers.ofClass();

    private static JarProcess pipeline;

    @BeforeAll
    static void start() throws Exception {
        pipeline = SERVERS.start("comment-service,comment-job-processor,notification-service");
    }

    private static String post(String post) throws Exception {
        var answer = pipeline.post("{\"postId\":\"%s\",\"userId\":\"u\",\"userName\":\"Ann\",\"content\":\"Hi\"}".formatted(post));
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
        return JSON.readTree(answer.body()).get("id").asText();
    }

    private static EventStream listen(JarProcess reader, String post, String... headers) throws Exception {
        EventStream stream = EventStream.open(reader.uri("/comments/stream?postId=" + post), headers);
        assertThat(stream.response().statusCode()).isEqualTo(200);
        return stream;
    }

    @Test
    void thoseWhoListenToAnyProcessAreToldAndTheEndOfAProcessIsALastEvent() throws Exception {
        JarProcess one = SERVERS.launch("comment-reader");
        JarProcess other = SERVERS.launch("comment-reader");
        List.of(one, other).forEach(JarProcess::awaitReady);
        EventStream first = listen(one, "p");
        EventStream second = listen(other, "p");
        String id = post("p");
        await().atMost(Duration.ofSeconds(30)).until(() -> first.comments().contains(id) && second.comments().contains(id));
        assertThat(SERVERS.rabbitmq().ctl("list_queues", "--no-table-headers", "name", "exclusive", "policy").lines()
                .filter(line -> line.startsWith("comment-stream.") && line.contains("true"))).hasSize(2);
        assertThat(one.terminate()).isEqualTo(143);
        await().until(first::ended);
        assertThat(first.events()).last().extracting(Event::data).isEqualTo("{\"reason\":\"stopping\"}");
        assertThat(second.ended()).isFalse();
        other.close();
        await().atMost(Duration.ofSeconds(30)).until(() -> SERVERS.rabbitmq().ctl("list_queues", "--no-table-headers", "name").lines()
                .noneMatch(line -> line.startsWith("comment-stream.")));
    }

    @Test
    void whatIsPushedWhileTheBrokerCutsEverybodyOffIsToldToWhoeverComesBack() throws Exception {
        JarProcess reader = SERVERS.start("comment-reader");
        EventStream before = listen(reader, "q");
        String first = post("q");
        await().atMost(Duration.ofSeconds(30)).until(() -> before.comments().contains(first));
        SERVERS.rabbitmq().ctl("close_all_connections", "cut off by the test");
        Set<String> posted = new HashSet<>();
        await().atMost(Duration.ofSeconds(30)).ignoreExceptionsInstanceOf(AssertionError.class)
                .until(() -> posted.add(post("q")));
        await().atMost(Duration.ofSeconds(60)).until(before::ended);
        assertThat(before.events()).last().extracting(Event::data).isEqualTo("{\"reason\":\"resume\"}");
        EventStream after = listen(reader, "q", "Last-Event-ID", before.events("comment").get(0).id());
        posted.add(post("q"));
        Set<String> told = new HashSet<>(before.comments());
        await().atMost(Duration.ofSeconds(60)).until(() -> {
            told.addAll(after.comments());
            return told.containsAll(posted);
        });
        assertThat(reader.observe("health")).contains("\"UP\"");
    }

    /** What a listener costs who hears nothing: the heap after a collection, with and without them. */
    @Test
    void thousandsWhoHearNothingAreHeldCheaply() throws Exception {
        int listeners = 5_000;
        JarProcess reader = SERVERS.start("comment-reader", "HTTP_CLIENT_SHARE", 100);
        listen(reader, "p").close();
        long before = heap(reader);
        long threads = (long) reader.metric("jvm_threads_live_threads");
        List<Socket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < listeners; i++) {
                Socket socket = new Socket("127.0.0.1", reader.uri("/").getPort());
                sockets.add(socket);
                socket.getOutputStream().write("GET /comments/stream?postId=idle-%d HTTP/1.1\r\nHost: a\r\n\r\n"
                        .formatted(i).getBytes(UTF_8));
            }
            for (Socket socket : sockets) {
                assertThat(firstLine(socket)).isEqualTo("HTTP/1.1 200 OK");
            }
            assertThat(reader.metric("comments_listeners")).isEqualTo(listeners);
            long each = (heap(reader) - before) / listeners;
            System.out.printf("%d listeners who hear nothing take %d bytes of heap each%n", listeners, each);
            assertThat(each).as("bytes of heap for each").isLessThan(20_000);
            assertThat((long) reader.metric("jvm_threads_live_threads")).as("threads").isLessThan(threads + 20);
            EventStream one = listen(reader, "r");
            String id = post("r");
            await().atMost(Duration.ofSeconds(10)).until(() -> one.comments().contains(id));
            one.close();
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
        await().atMost(Duration.ofSeconds(30)).until(() -> reader.metric("comments_listeners") == 0);
        assertThat((heap(reader) - before) / listeners).as("bytes of heap that are left of each").isLessThan(1_000);
    }

    private static String firstLine(Socket socket) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = socket.getInputStream().read(); c != '\r' && c >= 0; c = socket.getInputStream().read()) {
            line.append((char) c);
        }
        return line.toString();
    }

    private static long heap(JarProcess process) throws Exception {
        String jcmd = Path.of(JarProcess.JAVA).resolveSibling("jcmd").toString();
        for (int i = 0; i < 2; i++) {
            assertThat(new ProcessBuilder(jcmd, Long.toString(process.pid()), "GC.run").start().waitFor()).isZero();
        }
        return (long) process.observe("metrics").lines().filter(line -> line.startsWith("jvm_memory_used_bytes{area=\"heap\""))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1))).sum();
    }
}
