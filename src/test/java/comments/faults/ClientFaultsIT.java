package comments.faults;

import static comments.faults.Trial.NOTIFIER;
import static comments.faults.Trial.PROCESSOR;
import static comments.faults.Trial.SERVICE;
import static comments.faults.Trial.during;
import static comments.support.PrivateServers.ALONE;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.GetResponse;
import comments.support.JarProcess;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What clients of comment-service may do: too many requests, wrong ones, slow ones, and the same one twice. */
class ClientFaultsIT extends ServiceFaults {

    private final HttpClient client = HttpClient.newHttpClient();

    ClientFaultsIT() {
        super(SERVICE);
    }

    @Test
    @Tag(ALONE)
    void e8TenTimesTheCapacityIsOfferedForSeconds() throws Exception {
        overload(Duration.ofSeconds(8));
    }

    @Test
    @Tag("nightly")
    @Tag(ALONE)
    void e8TenTimesTheCapacityIsOfferedForAMinute() throws Exception {
        overload(Duration.ofSeconds(60));
    }

    private void overload(Duration time) throws Exception {
        // a slow broker and small groups, so that the callers can be ten times as fast
        JarProcess service = start(service().with("COMMENTS_GROUP_SIZE", 10).with("COMMENTS_WAITING", 100)
                .with("HTTP_CLIENT_SHARE", 100));
        trial.toBroker().delay(Duration.ofMillis(50));
        double capacity;
        try (Workload capable = trial.flood(50, Workload.UNPACED)) {
            await().atMost(Duration.ofSeconds(10)).until(() -> trial.rate() > 0);
            Instant from = Instant.now();
            await().atMost(Duration.ofSeconds(20)).until(() -> Instant.now().isAfter(from.plusSeconds(10)));
            capacity = trial.history().served(from, from.plusSeconds(10)) / 10.0;
        }
        try (Workload flood = trial.flood(300, (int) (10 * capacity))) {
            Instant from = Instant.now();
            during(time, () -> service.metric("comments_waiting") <= 100);
            Instant to = Instant.now();
            double seconds = Duration.between(from, to).toMillis() / 1_000.0;
            assertThat(trial.history().between(from, to).size() / seconds).as("offered").isGreaterThan(8 * capacity);
            assertThat(trial.history().served(from, to) / seconds).as("served").isGreaterThan(0.8 * capacity);
            List<Attempt> refusals = trial.history().begun(from, to).stream()
                    .filter(attempt -> attempt.status() != 202).toList();
            assertThat(refusals).isNotEmpty();
            assertRefusedFast(refusals);
        }
        assertThat(service.isAlive()).isTrue();
        trial.toBroker().delay(Duration.ZERO);
        trial.post();
        trial.healed();
        trial.assertKept();
    }

    @Test
    void e9MalformedBodiesAreRefusedAndNothingOfThemIsPublished() throws Exception {
        JarProcess service = service().start();
        String comment = Posted.number(-1).json().toString();
        String open = comment.substring(0, comment.length() - 1);
        for (String body : List.of("", "{", open, "[" + comment, comment + comment, comment + "x", "\ufeff" + comment,
                open + ",\"content\":\"twice\"}", open + ",\"parentId\":7}", "[".repeat(200_000), "{\"postId\":1e400}",
                open.replace("Comment", "\\u0000") + "}", open.replace("Comment", "\\ud800") + "}")) {
            assertThat(send(service, "application/json", body.getBytes(UTF_8))).as(body).isBetween(400, 499);
        }
        byte[] latin1 = comment.replace("Comment", "\u00ff").getBytes(ISO_8859_1);
        assertThat(send(service, "application/json", latin1)).isEqualTo(400);
        for (String type : List.of("application/json; charset=utf-16", "text/plain", "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=x")) {
            assertThat(send(service, type, comment.getBytes(UTF_8))).as(type).isEqualTo(415);
        }
        try (Socket broken = new Socket(service.uri("").getHost(), service.uri("").getPort())) {
            broken.getOutputStream().write(head("Content-Length: 9999").concat(comment).getBytes(UTF_8));
        }
        assertThat(trial.rabbitmq().queues().values()).allMatch(queue -> queue.messages() == 0);
        assertThat(trial.postOne().status()).isEqualTo(202);
        trial.process(PROCESSOR, NOTIFIER).start();
        trial.assertKept();
    }

    private int send(JarProcess service, String contentType, byte[] body) throws Exception {
        return client.send(HttpRequest.newBuilder(service.uri("/comments")).header("Content-Type", contentType)
                .POST(BodyPublishers.ofByteArray(body)).build(), BodyHandlers.ofString()).statusCode();
    }

    /** The head of a request, with one more header. */
    private static String head(String header) {
        return "POST /comments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + header + "\r\n\r\n";
    }

    /** A heap that would be full if bodies, or parts of them, were kept. */
    @Test
    void e10OversizedRequestsAreRefusedWithinASmallHeap() throws Exception {
        JarProcess service = start(service().jvm("-Xmx64m", "-XX:MaxDirectMemorySize=32m"));
        trial.post();
        ExecutorService senders = Executors.newFixedThreadPool(20);
        try {
            List<Future<String>> answers = new ArrayList<>();
            for (int i = 0; i < 60; i++) {
                boolean chunked = i % 2 == 0;
                answers.add(senders.submit(() -> oversized(service, chunked)));
            }
            for (Future<String> answer : answers) {
                // 429 where so many bodies together are more than this heap has room for
                assertThat(answer.get(30, TimeUnit.SECONDS)).containsPattern("^HTTP/1.1 (413|429) ");
            }
        } finally {
            senders.shutdownNow();
        }
        assertThat(service.isAlive()).isTrue();
        trial.healed();
        trial.assertKept();
    }

    /** Sends 20 MB, or as much as is taken; returns the first line of the answer. */
    private static String oversized(JarProcess service, boolean chunked) throws IOException {
        byte[] chunk = new byte[16 << 10];
        try (Socket socket = new Socket(service.uri("").getHost(), service.uri("").getPort())) {
            socket.setSoTimeout(10_000);
            OutputStream out = socket.getOutputStream();
            out.write(head(chunked ? "Transfer-Encoding: chunked" : "Content-Length: 20000000").getBytes(UTF_8));
            BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), UTF_8));
            try {
                for (int sent = 0; sent < 20_000_000 && socket.getInputStream().available() == 0; sent += chunk.length) {
                    if (chunked) {
                        out.write((Integer.toHexString(chunk.length) + "\r\n").getBytes(UTF_8));
                    }
                    out.write(chunk);
                    if (chunked) {
                        out.write("\r\n".getBytes(UTF_8));
                    }
                }
            } catch (IOException e) {
                // closed by the other side, which has answered
            }
            return in.readLine();
        }
    }

    @Test
    @Tag(ALONE)
    void e11SlowAndIdleCallersHarmNobody() throws Exception {
        JarProcess service = start();
        trial.post();
        List<Socket> sockets = new ArrayList<>();
        ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
        try {
            for (int i = 0; i < 5_200; i++) {
                sockets.add(new Socket(service.uri("").getHost(), service.uri("").getPort()));
            }
            byte[] slowBody = head("Content-Length: 9999").getBytes(UTF_8);
            for (Socket socket : sockets.subList(0, 100)) {
                socket.getOutputStream().write(slowBody);
            }
            // a byte a second: of the body for the first hundred, of the first header for the second
            AtomicInteger second = new AtomicInteger();
            clock.scheduleAtFixedRate(() -> {
                int at = second.getAndIncrement();
                for (Socket socket : sockets.subList(0, 200)) {
                    try {
                        socket.getOutputStream().write(slowBody[at]);
                    } catch (IOException e) {
                        // the service may well have enough of it
                    }
                }
            }, 0, 1, TimeUnit.SECONDS);
            Instant from = Instant.now();
            await().atMost(Duration.ofSeconds(15)).until(() -> Instant.now().isAfter(from.plusSeconds(6)));
            List<Attempt> good = trial.history().begun(from, Instant.now());
            assertThat(good).hasSizeGreaterThan(Trial.PER_SECOND * 5).allMatch(attempt -> attempt.status() == 202);
            assertTook(good, FAST);
        } finally {
            clock.shutdownNow();
            for (Socket socket : sockets) {
                socket.close();
            }
        }
        trial.healed();
        trial.assertKept();
    }

    @Test
    void e12HeadersAndQueryParametersOfCallersAreHarmless() throws Exception {
        JarProcess service = service().start();
        SERVERS.declare("elsewhere");
        try (Connection connection = SERVERS.connectToBroker(); Channel channel = connection.createChannel()) {
            URI attack = service.uri("/comments?Set-Cookie=a%3Db&CC=elsewhere&commentCount=99&x-death=a"
                    + "&CamelHttpResponseCode=200&CamelSpringRabbitmqRoutingOverrideKey=elsewhere");
            HttpResponse<String> answer = client.send(HttpRequest.newBuilder(attack)
                    .headers("Content-Type", "application/json", "CC", "elsewhere", "CC", "elsewhere", "BCC", "elsewhere",
                            "BCC", "elsewhere", "springBatchFormat", "lengthHeader4", "x-death", "a", "x-death", "b",
                            "Authorization", "Bearer secret", "X-Test", "echo", "commentCount", "7",
                            "CamelSpringRabbitmqExchangeOverrideName", "elsewhere")
                    .POST(BodyPublishers.ofString(Posted.number(-1).json().toString())).build(), BodyHandlers.ofString());
            assertThat(answer.statusCode()).isEqualTo(202);
            assertThat(answer.headers().map()).containsOnlyKeys("content-type", "location", "content-length");
            GetResponse message = channel.basicGet("comments", true);
            // a quorum queue adds a header before RabbitMQ 4.0
            Map<String, Object> headers = new HashMap<>(message.getProps().getHeaders());
            headers.remove("x-delivery-count");
            assertThat(headers).isEqualTo(Map.of("commentCount", 1));
            assertThat(channel.messageCount("elsewhere")).isZero();
            channel.queueDelete("elsewhere");
        }
    }

    @Test
    void e13OneKeyAHundredTimesAtOnceOverTwoProcessesIsOneRow() throws Exception {
        start();
        service().start();
        Posted comment = Posted.number(-1);
        ExecutorService callers = Executors.newFixedThreadPool(100);
        try {
            List<Future<Attempt>> attempts = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                URI target = trial.targets().get(i % 2);
                attempts.add(callers.submit(() ->
                        Workload.post(client, target, comment.json().toString(), List.of(comment), "key")));
            }
            for (Future<Attempt> attempt : attempts) {
                trial.history().add(attempt.get());
            }
        } finally {
            callers.shutdownNow();
        }
        assertThat(trial.history().attempts()).extracting(Attempt::status).containsOnly(202);
        assertThat(trial.history().ids().get(comment)).hasSize(1);
        trial.assertKept();
        assertThat(trial.rows()).hasSize(1);
    }
}
