package comments.stream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.mockito.ArgumentMatchers.any;

import comments.http.BusyEventLoop;
import comments.http.Problem;
import comments.http.ServerSentEvent;
import comments.http.SseClients;
import comments.stream.SelectSubscribed.Selection;
import comments.support.EventStream;
import comments.support.TestPipeline;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.camel.Exchange;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;

/** Clients that are too slow or too many, or close at any moment. */
class CommentStreamLimitsTest extends StreamFixture {

    private static final String LARGE = ServerSentEvent.of("comment", "\"" + "x".repeat(200_000) + "\"");

    private Socket listenWithoutReading() throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(4_096);
        socket.connect(new InetSocketAddress("127.0.0.1", pipeline.port()));
        socket.getOutputStream().write("GET /comments/stream?postId=%s HTTP/1.1\r\nHost: a\r\n\r\n".formatted(post).getBytes(UTF_8));
        await().until(() -> listeners().count() == 1);
        return socket;
    }

    private void tellUntilOneIsLeft(EventStream reader, Runnable check) throws Exception {
        for (int told = 1; listeners().count() == 2; told++) {
            listeners().send(Map.of(post, LARGE)).get(5, SECONDS);
            int seen = told;
            await().until(() -> reader.events("comment").size() == seen);
            check.run();
            assertThat(told).as("events of 200 KB to a reader who takes none").isLessThan(200);
        }
    }

    @Test
    void aSlowReaderGetsALastEventThatSaysSo() throws Exception {
        try (Socket socket = listenWithoutReading()) {
            EventStream other = listen(post);
            tellUntilOneIsLeft(other, () -> { });
            listeners().send(Map.of(post, LARGE));
            InputStream in = socket.getInputStream();
            socket.setSoTimeout(5_000);
            StringBuilder read = new StringBuilder();
            byte[] part = new byte[65_536];
            while (!read.toString().endsWith("0\r\n\r\n")) {
                int length = in.read(part);
                assertThat(length).isPositive();
                read.append(new String(part, 0, length, UTF_8));
                read.delete(0, Math.max(0, read.length() - 200));
            }
            assertThat(read.toString()).contains("event: end\ndata: {\"reason\":\"slow\"}\n\n");
        }
    }

    @Test
    void whileTooMuchWaitsForAllTogetherWhoeverDoesNotTakeHisAtOnceIsCutOff() throws Exception {
        listeners().setMaxBytes(300_000);
        try (Socket socket = listenWithoutReading()) {
            EventStream other = listen(post);
            tellUntilOneIsLeft(other, () -> assertThat(listeners().waiting()).isLessThanOrEqualTo(300_000));
            assertThat(listeners().waiting()).as("what waited for him went with him").isZero();
            socket.setSoTimeout(5_000);
            assertThat(new String(socket.getInputStream().readAllBytes(), UTF_8)).doesNotContain("event: end");
            assertThat(other.ended()).isFalse();
        } finally {
            listeners().setMaxBytes(64 << 20);
        }
    }

    @Test
    void theFeedWaitsForABusyEventLoopButNotForever() throws Exception {
        EventStream ours = listen(post);
        CountDownLatch free = new CountDownLatch(1);
        Exchange batch = new DefaultExchange(pipeline.context());
        batch.setProperty(SelectSubscribed.PROPERTY, Selection.of(
                "[{\"id\":\"1\",\"postId\":\"%s\"}]".formatted(post).getBytes(UTF_8), listeners().topics()));
        batch.getMessage().setBody(List.of());
        try {
            BusyEventLoop.run(listeners(), () -> {
                try {
                    free.await(20, SECONDS);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            long start = System.nanoTime();
            pipeline.bean("broadcast", Broadcast.class).process(batch);
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(Duration.ofSeconds(5), Duration.ofSeconds(10));
            assertThat(ours.events()).isEmpty();
        } finally {
            free.countDown();
        }
        await().until(() -> ours.events("batch").size() == 1);
        pipeline.bean("broadcast", Broadcast.class).process(batch);
        await().until(() -> ours.events("batch").size() == 2);
    }

    @Test
    void oneMoreThanMayListenIsRefused() throws Exception {
        listen(post);
        listeners().setMaxClients(1);
        try (EventStream refused = EventStream.open(uri(post))) {
            assertThat(refused.response().statusCode()).isEqualTo(503);
            assertThat(refused.response().headers().firstValue("Content-Type")).hasValue(Problem.MEDIA_TYPE);
            assertThat(refused.response().headers().firstValue("Retry-After")).isPresent();
        } finally {
            listeners().setMaxClients(10_000);
        }
        listen(post);
    }

    @Test
    void whoeverComesBackWhileTooManyWaitForTheDatabaseIsRefused() throws Exception {
        try (TestPipeline reader = TestPipeline.start(Map.of("COMMENTS_ROLES", "comment-reader", "POSTGRES_USER", "postgres",
                        "RABBITMQ_URI", broker.uri(), "POSTGRES_URL", knobs.get("POSTGRES_URL"), "COMMENTS_STREAM_LISTENERS", "2"));
                Connection owner = DriverManager.getConnection(knobs.get("POSTGRES_URL"));
                Statement statement = owner.createStatement()) {
            URI uri = reader.uri("/comments/stream?postId=p");
            EventStream before = EventStream.open(uri, "Last-Event-ID", "1");
            await().until(() -> before.events("missed").size() == 1);
            before.close();
            SseClients listeners = reader.bean("sseClients", SseClients.class);
            owner.setAutoCommit(false);
            statement.execute("LOCK TABLE comments IN ACCESS EXCLUSIVE MODE");
            // as many wait as may listen, though both of them have left
            for (int i = 0; i < 2; i++) {
                await().pollInterval(Duration.ofMillis(5)).until(() -> listeners.count() == 0);
                try (Socket socket = new Socket("127.0.0.1", reader.port())) {
                    socket.getOutputStream().write(
                            "GET /comments/stream?postId=p HTTP/1.1\r\nHost: a\r\nLast-Event-ID: 1\r\n\r\n".getBytes(UTF_8));
                    await().pollInterval(Duration.ofMillis(5)).until(() -> listeners.count() == 1);
                }
            }
            try (EventStream refused = EventStream.open(uri, "Last-Event-ID", "1")) {
                assertThat(refused.response().statusCode()).isEqualTo(503);
                assertThat(refused.response().headers().firstValue("Retry-After")).isPresent();
            }
            owner.rollback();
            await().until(() -> {
                try (EventStream again = EventStream.open(uri, "Last-Event-ID", "1")) {
                    return again.response().statusCode() == 200;
                }
            });
            await().until(() -> listeners.count() == 0);
            assertThat(listeners.waiting()).isZero();
        }
    }

    /** Thousands, each of which sends a part of a request, or all of it, reads a while or not, and resets the connection. */
    @Test
    void readersWhoCloseAtAnyMomentLeaveNothingBehind() throws Exception {
        byte[] request = ("GET /comments/stream?postId=" + post + " HTTP/1.1\r\nHost: a\r\nLast-Event-ID: "
                + System.currentTimeMillis() * 1_000 + "\r\n\r\n").getBytes(UTF_8);
        ExecutorService readers = Executors.newFixedThreadPool(16);
        List<Future<?>> done = new ArrayList<>();
        Random random = new Random(1);
        for (int i = 0; i < 4_000; i++) {
            int sent = random.nextInt(4) == 0 ? random.nextInt(request.length) : request.length;
            int read = random.nextInt(3) == 0 ? 0 : random.nextInt(400);
            done.add(readers.submit(() -> closeAfter(request, sent, read)));
            if (i % 100 == 0) {
                post(post, "Comment " + i);
            }
        }
        for (Future<?> one : done) {
            one.get();
        }
        readers.shutdown();
        EventStream ours = listen(post);
        String id = post(post, "after all of them");
        await().until(() -> ours.comments().contains(id));
        await().until(() -> listeners().count() == 1);
    }

    private static Void closeAfter(byte[] request, int sent, int read) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", pipeline.port())) {
            socket.setSoLinger(true, 0);
            socket.setSoTimeout(50);
            socket.getOutputStream().write(request, 0, sent);
            if (sent == request.length) {
                socket.getInputStream().readNBytes(read);
            }
        } catch (SocketTimeoutException e) {
            // there was less to read
        }
        return null;
    }
}
