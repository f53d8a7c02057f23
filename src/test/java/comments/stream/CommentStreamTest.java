package comments.stream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import comments.EmbeddedBroker;
import comments.http.BusyEventLoop;
import comments.http.HttpEngine;
import comments.http.Problem;
import comments.http.ServerSentEvent;
import comments.http.SseClients;
import comments.notification.NotificationServiceTest;
import comments.rabbitmq.FanoutConnectionFactory;
import comments.stream.SelectSubscribed.Selection;
import comments.support.EventStream;
import comments.support.EventStream.Event;
import comments.support.Proxy;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.camel.Exchange;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** GET /comments/stream, with the whole application on the embedded servers. */
class CommentStreamTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String LARGE = ServerSentEvent.of("comment", "\"" + "x".repeat(200_000) + "\"");

    private static EmbeddedBroker broker;
    private static Map<String, String> knobs;
    private static TestPipeline pipeline;

    private final List<EventStream> streams = new ArrayList<>();
    private String post;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        knobs = Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", TestServers.newDatabase(), "POSTGRES_USER", "postgres",
                "COMMENTS_BATCH_INTERVAL", "50");
        pipeline = TestPipeline.start(knobs);
    }

    @AfterAll
    static void stop() {
        pipeline.close();
        broker.close();
    }

    @BeforeEach
    void newPost() {
        post = "post-" + UUID.randomUUID();
    }

    @AfterEach
    void nobodyListensAnyMore() throws Exception {
        for (EventStream stream : streams) {
            stream.close();
        }
        await().until(() -> listeners().count() == 0 && pipeline.bean("platform-http-engine", HttpEngine.class).pending().get() == 0);
        assertThat(listeners().topics()).isEmpty();
        await().until(() -> listeners().waiting() == 0);
    }

    private static SseClients listeners() {
        return pipeline.bean("sseClients", SseClients.class);
    }

    private static URI uri(String post) {
        return pipeline.uri("/comments/stream" + (post == null ? "" : "?postId=" + URLEncoder.encode(post, UTF_8)));
    }

    private EventStream listen(String post, String... headers) throws Exception {
        EventStream stream = EventStream.open(uri(post), headers);
        streams.add(stream);
        assertThat(stream.response().statusCode()).isEqualTo(200);
        return stream;
    }

    private static Map<String, String> comment(String post, String content) {
        return Map.of("postId", post, "userId", "u", "userName", "Ann", "content", content);
    }

    private static String post(String post, String content) throws Exception {
        var response = pipeline.post("/comments", JSON.writeValueAsString(comment(post, content)));
        assertThat(response.statusCode()).as(response.body()).isEqualTo(202);
        return JSON.readTree(response.body()).get("id").asText();
    }

    private static List<String> postList(String post, int comments) throws Exception {
        List<Map<String, String>> list = new ArrayList<>();
        for (int i = 0; i < comments; i++) {
            list.add(comment(post, "Comment " + i));
        }
        var response = pipeline.post("/comments", JSON.writeValueAsString(list));
        assertThat(response.statusCode()).as(response.body()).isEqualTo(202);
        List<String> ids = new ArrayList<>();
        JSON.readTree(response.body()).get("ids").forEach(id -> ids.add(id.asText()));
        return ids;
    }

    private static int comments(EventStream stream, String field) {
        return stream.events("batch").stream().mapToInt(batch -> batch.json().get(field).asInt()).sum();
    }

    // ---- live ----

    @Test
    void aPushedCommentIsToldToThoseWhoListenToItsPost() throws Exception {
        EventStream ours = listen(post);
        EventStream others = listen(post + "2");
        EventStream all = listen(null);
        assertThat(ours.response().headers().firstValue("Content-Type")).hasValue("text/event-stream");
        assertThat(ours.response().headers().firstValue("Cache-Control")).hasValue("no-cache");
        String id = post(post, "Hi");
        await().until(() -> ours.comments().contains(id) && all.comments().contains(id));
        JsonNode told = ours.events("comment").get(0).json();
        assertThat(told.get("postId").asText()).isEqualTo(post);
        assertThat(told.get("userName").asText()).isEqualTo("Ann");
        assertThat(told.get("content").asText()).isEqualTo("Hi");
        assertThat(told).isEqualTo(JSON.readTree(
                pipeline.send(HttpRequest.newBuilder(pipeline.uri("/comments/" + id))).body()));
        await().until(() -> ours.events("batch").size() == 1);
        assertThat(ours.events("batch").get(0).json()).isEqualTo(JSON.readTree("{\"comments\":1,\"posts\":1,\"shown\":1}"));
        String other = post(post + "2", "Hi");
        await().until(() -> others.comments().contains(other));
        assertThat(others.comments()).doesNotContain(id);
        assertThat(ours.comments()).containsExactly(id);
    }

    @Test
    void whoListensToAllPostsIsToldTheLatestOfABatchAndHowManyThereWere() throws Exception {
        EventStream all = listen(null);
        List<String> ids = postList(post, 1_000);
        await().until(() -> comments(all, "comments") >= 1_000);
        assertThat(all.comments()).isNotEmpty().isSubsetOf(ids).contains(ids.get(999));
        assertThat(all.events("batch")).allSatisfy(batch -> assertThat(batch.json().get("shown").asInt()).isBetween(1, 20));
        assertThat(comments(all, "shown")).isEqualTo(all.comments().size());
    }

    @Test
    void whoListensToAPostIsToldEachCommentOrHowManyWereLeftOut() throws Exception {
        EventStream ours = listen(post);
        postList(post, 1_000);
        await().until(() -> comments(ours, "comments") == 1_000);
        assertThat(ours.comments()).hasSizeGreaterThanOrEqualTo(500).doesNotHaveDuplicates()
                .hasSize(comments(ours, "shown"));
    }

    @Test
    void contentsCanNotLeaveTheirEvent() throws Exception {
        EventStream ours = listen(post);
        String content = "a\n\nevent: end\ndata: {}\r\n\r\nid: 7\r:\u2028\u0085<script>alert('\"\\')</script>\n";
        String name = "Ann\nid: 8\n\ndata: x";
        var response = pipeline.post("/comments", JSON.writeValueAsString(
                Map.of("postId", post, "userId", "u\nevent: x", "userName", name, "content", content)));
        assertThat(response.statusCode()).isEqualTo(202);
        await().until(() -> ours.events("batch").size() == 1);
        assertThat(ours.events()).extracting(Event::kind).containsExactly("comment", "batch");
        JsonNode told = ours.events().get(0).json();
        assertThat(told.get("content").asText()).isEqualTo(content);
        assertThat(told.get("userName").asText()).isEqualTo(name);
        assertThat(ours.events()).allSatisfy(event -> assertThat(event.id()).matches("[0-9]{16}"));
    }

    @Test
    void whoHearsNothingGetsHeartbeats() throws Exception {
        List<EventStream> quiet = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            quiet.add(listen(post));
        }
        await().atMost(Duration.ofSeconds(20)).until(() -> quiet.stream().allMatch(stream -> stream.heartbeats() > 0));
        assertThat(quiet).allSatisfy(stream -> assertThat(stream.events()).isEmpty());
    }

    // ---- coming back ----

    @Test
    void whoeverComesBackIsToldWhatHeMissed() throws Exception {
        EventStream first = listen(post);
        String before = post(post, "before");
        await().until(() -> first.comments().contains(before));
        String lastId = first.events("comment").get(0).id();
        first.close();
        await().until(() -> listeners().count() == 0);
        List<String> missed = List.of(post(post, "one"), post(post, "two"));
        EventStream other = listen(null);
        String flushed = post(post, "three");
        await().until(() -> other.comments().contains(flushed));

        EventStream again = listen(post, "Last-Event-ID", lastId);
        await().until(() -> again.events("missed").size() == 1);
        assertThat(again.comments()).containsAll(missed).contains(flushed);
        assertThat(again.events("missed").get(0).json().get("more").asBoolean()).isFalse();
        String live = post(post, "live");
        await().until(() -> again.comments().contains(live));
        assertThat(again.comments().indexOf(live)).isGreaterThan(again.comments().indexOf(missed.get(0)));
    }

    @Test
    void whoMissedMoreThanIsKeptForHimIsToldTheLatestAndThatThereIsMore() throws Exception {
        EventStream all = listen(null);
        List<String> ids = postList(post, 1_000);
        await().until(() -> comments(all, "comments") >= 1_000);
        EventStream again = listen(post, "Last-Event-ID", Long.toString(System.currentTimeMillis() * 1_000 - 1_000_000));
        await().until(() -> again.events("missed").size() == 1);
        assertThat(again.comments()).hasSize(100).isSubsetOf(ids);
        assertThat(again.events("missed").get(0).json()).isEqualTo(JSON.readTree("{\"shown\":100,\"more\":true}"));
    }

    @Test
    void whatIsToldOfWhatWasMissedIsNoLongerThan32KiBAndACommentMore() throws Exception {
        EventStream all = listen(null);
        for (int i = 0; i < 10; i++) {
            post(post, "x".repeat(10_000));
        }
        await().until(() -> comments(all, "comments") == 10);
        EventStream again = listen(post, "Last-Event-ID", "1");
        await().until(() -> again.events("missed").size() == 1);
        assertThat(again.events("missed").get(0).json()).isEqualTo(JSON.readTree("{\"shown\":4,\"more\":true}"));
    }

    @Test
    void whoeverComesBackAfterYearsIsToldAllThereIs() throws Exception {
        EventStream all = listen(null);
        String id = post(post, "Hi");
        await().until(() -> all.comments().contains(id));
        EventStream again = listen(post, "Last-Event-ID", "1");
        await().until(() -> again.events("missed").size() == 1);
        assertThat(again.comments()).containsExactly(id);
        assertThat(again.events("missed").get(0).json()).isEqualTo(JSON.readTree("{\"shown\":1,\"more\":false}"));
    }

    @Test
    void whoHasHeardNothingYetHasAnIdToComeBackWithToo() throws Exception {
        EventStream quiet = listen(post);
        await().until(() -> quiet.lastId() != null);
        listeners().endAll("resume");
        await().until(quiet::ended);
        EventStream other = listen(null);
        String missed = post(post, "while he was away");
        await().until(() -> other.comments().contains(missed));
        EventStream again = listen(post, "Last-Event-ID", quiet.lastId());
        await().until(() -> again.events("missed").size() == 1);
        assertThat(again.comments()).containsExactly(missed);
        assertThat(again.events("missed").get(0).json()).isEqualTo(JSON.readTree("{\"shown\":1,\"more\":false}"));
    }

    @Test
    void whileTheDatabaseIsAwayWhoeverComesBackIsToldThatThereIsMoreAndTheLogIsShort() throws Exception {
        String database = knobs.get("POSTGRES_URL");
        ListAppender<ILoggingEvent> log = NotificationServiceTest.logOf("comment-stream", Level.WARN);
        try (Proxy proxy = new Proxy(URI.create(database.substring("jdbc:".length())).getPort());
                TestPipeline reader = TestPipeline.start(Map.of("COMMENTS_ROLES", "comment-reader", "POSTGRES_USER", "postgres",
                        "RABBITMQ_URI", broker.uri(), "POSTGRES_URL", database.replaceFirst(":\\d+/", ":" + proxy.port() + "/")))) {
            proxy.close();
            List<EventStream> all = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                EventStream one = EventStream.open(reader.uri("/comments/stream?postId=p"), "Last-Event-ID", "1");
                all.add(one);
                assertThat(one.response().statusCode()).isEqualTo(200);
            }
            await().until(() -> all.stream().allMatch(one -> one.events("missed").size() == 1));
            assertThat(all).allSatisfy(one -> assertThat(one.events()).extracting(Event::data)
                    .containsExactly("{\"shown\":0,\"more\":true}"));
            assertThat(NotificationServiceTest.messages(log)).hasSizeBetween(1, 10)
                    .allSatisfy(line -> assertThat(line).startsWith("The comments that a client of the stream missed can't be read: "));
        }
    }

    @Test
    void allAreSentAwayToComeBackWhenTheBrokerWasAway() throws Exception {
        EventStream ours = listen(post);
        pipeline.bean("pushListening", FanoutConnectionFactory.class).resetConnection();
        await().atMost(Duration.ofSeconds(30)).until(ours::ended);
        assertThat(ours.events()).containsExactly(new Event("end", ours.lastId(), "{\"reason\":\"resume\"}"));
        EventStream again = listen(post);
        String id = post(post, "Hi");
        await().atMost(Duration.ofSeconds(30)).until(() -> again.comments().contains(id));
    }

    // ---- too slow, too many, wrong ----

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
            // two threads, and as many who wait for them as may listen, though all of them have left
            for (int i = 0; i < 4; i++) {
                await().until(() -> listeners.count() == 0);
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

    /** What is answered to a request whose head is sent as it is, with more header lines. */
    private static String answer(String query, String... headers) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", pipeline.port())) {
            socket.getOutputStream().write(("GET /comments/stream?" + query + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                    + String.join("\r\n", headers) + "\r\n\r\n").getBytes(UTF_8));
            return new String(socket.getInputStream().readAllBytes(), UTF_8);
        }
    }

    @ParameterizedTest
    @CsvSource({"postId=, postId", "postId=a&postId=b, postId", "postId=%00, postId", "postId=%zz, query", "post=a, post"})
    void aWrongRequestIsAProblemThatNamesIt(String query, String named) throws Exception {
        assertThat(answer(query)).startsWith("HTTP/1.1 400 ").contains("content-type: " + Problem.MEDIA_TYPE, named);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1", "1.0", "1; DROP TABLE comments", "' OR 1=1 --", "999999999999999999999", "０", "1,1"})
    void aWrongLastEventIdIsAProblemThatNamesIt(String id) throws Exception {
        assertThat(answer("postId=p", "Last-Event-ID: " + id)).startsWith("HTTP/1.1 400 ")
                .contains("content-type: " + Problem.MEDIA_TYPE, "Last-Event-ID").doesNotContain("DROP TABLE");
    }

    @Test
    void twoLastEventIdsAreAProblem() throws Exception {
        assertThat(answer("postId=p", "Last-Event-ID: 1", "Last-Event-ID: 2")).startsWith("HTTP/1.1 400 ").contains("Last-Event-ID");
    }

    @Test
    void aPostIdIsNeverSqlAndNeverEchoed() throws Exception {
        String evil = "' OR true; DROP TABLE comments; --\r\nX-Evil: 1\n\ndata: x";
        EventStream theirs = listen(evil, "Last-Event-ID", Long.toString(System.currentTimeMillis() * 1_000));
        assertThat(theirs.response().headers().firstValue("X-Evil")).isEmpty();
        String other = post(post, "Hi");
        String id = post(evil, "Hi");
        await().until(() -> theirs.comments().contains(id));
        assertThat(theirs.comments()).doesNotContain(other);
        assertThat(theirs.events("comment").get(0).json().get("postId").asText()).isEqualTo(evil);
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
