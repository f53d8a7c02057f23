package comments.faults;

import static comments.faults.Trial.NOTIFIER;
import static comments.faults.Trial.PROCESSOR;
import static comments.faults.Trial.SERVICE;
import static comments.support.PrivateServers.ALONE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.support.ApiKeyHash;
import comments.support.Http2Connection;
import comments.support.JarProcess;
import comments.support.RawConnection;
import comments.support.TestCertificate;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What strangers send from one address, with the heap of docker/jvm.options, while a good client is served from another. */
@Tag(ALONE)
class StrangerFaultsIT extends ServiceFaults {

    private static final String STRANGER = "127.0.0.2";
    private static final Duration SERVED_WITHIN = Duration.ofSeconds(2);
    // the least number of good requests from the begin of an attack until this long after it
    private static final int GOOD = 50;
    private static final int SENDERS = 4;
    private static final String HALF = "x".repeat(530_000);
    private static final String BODY = "POST /comments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1048576\r\n\r\n";

    @TempDir
    Path folder;

    private final List<RawConnection> connections = new ArrayList<>();
    private final ExecutorService senders = Executors.newFixedThreadPool(SENDERS);

    StrangerFaultsIT() {
        super(SERVICE);
    }

    @AfterEach
    void close() throws IOException {
        senders.shutdownNow();
        for (RawConnection connection : connections) {
            connection.close();
        }
    }

    private interface Stranger {
        void attack(JarProcess service) throws Exception;
    }

    /** Lets a stranger attack while a client posts, which must not feel it. */
    private JarProcess assertUnharmed(Launch launch, Stranger stranger) throws Exception {
        JarProcess service = start(launch);
        trial.post();
        Instant from = Instant.now();
        stranger.attack(service);
        Instant to = Instant.now();
        // what was begun until then is answered then
        Instant end = to.plus(SERVED_WITHIN.multipliedBy(4));
        await().atMost(Duration.ofSeconds(20)).until(() -> Instant.now().isAfter(end));
        assertThat(service.isAlive()).isTrue();
        List<Attempt> good = trial.history().begun(from, to.plus(SERVED_WITHIN));
        assertThat(good).hasSizeGreaterThan(GOOD).allSatisfy(attempt -> assertThat(attempt.status()).isEqualTo(202));
        assertTook(good, SERVED_WITHIN);
        trial.healed();
        trial.assertKept();
        assertThat(service.log().filter(line -> line.contains("ERROR")).limit(20)).hasSizeLessThan(20);
        return service;
    }

    /** Opens connections, and sends the same on each; what the server refuses to take is not sent. */
    private void send(JarProcess service, int count, int receiveBuffer, String text) throws Exception {
        List<Callable<RawConnection>> tasks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            tasks.add(() -> {
                RawConnection connection = RawConnection.open(STRANGER, service.uri("").getPort(), receiveBuffer);
                try {
                    connection.send(text);
                } catch (IOException e) {
                    // closed by the server
                }
                return connection;
            });
        }
        for (Future<RawConnection> opened : senders.invokeAll(tasks)) {
            connections.add(opened.get());
        }
    }

    @Test
    void e14BodiesThatStopHalfway() throws Exception {
        assertUnharmed(service(), service -> {
            send(service, 2_000, 0, BODY + HALF);
            Thread.sleep(1_000);
        });
    }

    @Test
    @Tag("nightly")
    void e14BodiesThatStopHalfwayWithoutAnApiKey() throws Exception {
        String key = "the-key";
        String hash = ApiKeyHash.of(key);
        JarProcess service = service().with("COMMENTS_API_KEYS", "good:" + hash).start();
        Future<?> attack = senders.submit(() -> {
            for (int i = 0; i < 2_000; i++) {
                RawConnection connection = RawConnection.open(STRANGER, service.uri("").getPort());
                connections.add(connection);
                try {
                    connection.send(BODY);
                    assertThat(connection.status()).isEqualTo(401);
                    connection.send(HALF);
                } catch (IOException e) {
                    // closed by the server
                }
            }
            return null;
        });
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest post = HttpRequest.newBuilder(service.uri("/comments")).header("Content-Type", "application/json")
                .header("Authorization", "Bearer " + key).timeout(SERVED_WITHIN.multipliedBy(3))
                .POST(BodyPublishers.ofString(Posted.number(-1).json().toString())).build();
        int served = 0;
        for (; !attack.isDone(); served++) {
            assertThat(client.send(post, BodyHandlers.ofString()).statusCode()).isEqualTo(202);
        }
        attack.get();
        assertThat(served).isPositive();
        assertThat(service.isAlive()).isTrue();
    }

    @Test
    void e15ThousandsOfHeadersThatNeverEnd() throws Exception {
        assertUnharmed(service(), service -> {
            send(service, 2_000, 0, "POST /comments HTTP/1.1\r\n" + "a:\r\n".repeat(4_000));
            send(service, 2_000, 0, "POST /comments HTTP/1.1\r\n" + "a:\r\n".repeat(99) + "b:" + "x".repeat(7_500));
            Thread.sleep(1_000);
        });
    }

    @Test
    void e16RequestsWithoutReadingTheAnswers() throws Exception {
        String many = RawConnection.post("", "{}").repeat(1_000);
        LongAdder sent = new LongAdder();
        assertUnharmed(service(), service -> {
            for (int i = 0; i < SENDERS; i++) {
                RawConnection connection = RawConnection.open(STRANGER, service.uri("").getPort(), 4_096);
                connections.add(connection);
                senders.submit(() -> {
                    for (int batch = 0; batch < 100; batch++) {
                        connection.send(many);
                        sent.increment();
                    }
                    return null;
                });
            }
            Thread.sleep(3_000);
        });
        // full buffers stop it, or the server closes the connection
        assertThat(sent.sum()).isLessThan(SENDERS * 100 / 2);
    }

    @Test
    void e17AnswersThatAreBrokenOff() throws Exception {
        String file = "GET /openapi/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n";
        assertUnharmed(service().with("HTTP_CLIENT_TIMEOUT", 5_000), service -> {
            send(service, 1_000, 4_096, file);
            assertThat(get("127.0.0.1", service, "/openapi.json")).isEqualTo(200);
            for (RawConnection connection : connections.subList(0, 500)) {
                connection.close();
            }
            send(service, 1_000, 4_096, file);
            assertThat(get("127.0.0.1", service, "/openapi.json")).isEqualTo(200);
            // the answers that nothing reads are given up
            await().atMost(Duration.ofSeconds(30)).until(() -> get(STRANGER, service, "/openapi.json") == 200);
        });
    }

    private static int get(String from, JarProcess service, String path) throws IOException {
        try (RawConnection connection = RawConnection.open(from, service.uri("").getPort())) {
            return connection.send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n").status();
        }
    }

    @Test
    void e18OneAddressOpensAllThatItCan() throws Exception {
        assertUnharmed(trial.process(SERVICE, "comment-reader"), service -> {
            send(service, 8_000, 4_096, "GET /comments/stream HTTP/1.1\r\nHost: a\r\n\r\n");
            assertThat(get("127.0.0.1", service, "/comments/stream")).isEqualTo(200);
            // a database that had no time is 503 once
            await().atMost(Duration.ofSeconds(10)).until(() -> get("127.0.0.1", service, "/comments?postId=p") == 200);
        });
    }

    /** The heap is not full of what 2,000 connections of HTTP/2 begin, and the log doesn't tell of each. */
    @Test
    void e20WhatHttp2Allows() throws Exception {
        TestCertificate certificate = TestCertificate.create(folder);
        List<String> arguments = Stream.concat(Stream.of("-XX:TieredStopAtLevel=1"), JarProcess.PACKAGED.stream()).collect(Collectors.toList());
        try (JarProcess service = JarProcess.launch(SERVERS.settings(String.join(",", SERVICE, PROCESSOR, NOTIFIER),
                "HTTP_TLS_CERTIFICATE", certificate.certificateFile(), "HTTP_TLS_KEY", certificate.keyFile()), arguments)) {
            service.awaitReady();
            int port = service.uri("").getPort();
            long before = service.log().count();
            try (Http2Connection connect = Http2Connection.open(STRANGER, port)) {
                connect.headers(1, true, ":method", "CONNECT", ":authority", "elsewhere:443");
                assertThat(connect.answerOrEnd(1)).isTrue();
            }
            try (Http2Connection endless = Http2Connection.open(STRANGER, port)) {
                endless.headers(1, false, ":method", "POST", ":scheme", "https", ":authority", "a", ":path", "/comments");
                for (int i = 0; i < 100_000 && !endless.isClosed(); i++) {
                    endless.continuation(1, "x-" + i, "y");
                }
                await().atMost(Duration.ofSeconds(20)).until(endless::isClosed);
            }
            try (Http2Connection rapid = Http2Connection.open(STRANGER, port)) {
                for (int i = 1; i < 20_000 && !rapid.isClosed(); i += 2) {
                    rapid.headers(i, true, ":method", "POST", ":scheme", "https", ":authority", "a", ":path", "/comments");
                    rapid.reset(i);
                }
                await().atMost(Duration.ofSeconds(20)).until(rapid::isClosed);
            }
            try (Http2Connection pings = Http2Connection.open(STRANGER, port)) {
                // the settings of the server are never acknowledged
                pings.headers(1, true, ":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/openapi.json");
                assertThat(pings.answerOrEnd(1)).isTrue();
            }
            List<Http2Connection> streams = new ArrayList<>();
            for (int i = 0; i < 400; i++) {
                // answered at once, and never complete: each keeps its headers
                streams.add(Http2Connection.open(STRANGER, port));
                for (int stream = 1; stream < 200; stream += 2) {
                    streams.get(i).open(stream, manyHeaders());
                }
            }
            HttpClient client = HttpClient.newBuilder().sslContext(certificate.clientContext()).build();
            assertThat(client.send(HttpRequest.newBuilder(URI.create("https://localhost:" + port + "/comments"))
                    .header("Content-Type", "application/json").timeout(SERVED_WITHIN.multipliedBy(3))
                    .POST(BodyPublishers.ofString(Posted.number(-1).json().toString())).build(), BodyHandlers.ofString())
                    .statusCode()).isEqualTo(202);
            for (Http2Connection each : streams) {
                each.close();
            }
            assertThat(service.isAlive()).isTrue();
            assertThat(service.log().skip(before)).hasSizeLessThan(100);
        }
    }

    private static String[] manyHeaders() {
        return Stream.concat(Stream.of(":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/nowhere"),
                Stream.generate(() -> List.of("a", "")).limit(95).flatMap(List::stream)).toArray(String[]::new);
    }
}
