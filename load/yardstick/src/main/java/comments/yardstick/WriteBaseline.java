package comments.yardstick;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.MessageProperties;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;
import org.postgresql.copy.CopyManager;

/**
 * The hand-written baseline of the write path, for {@code load/compare}: HTTP on one event loop of Vert.x; all requests that arrive while a
 * message is being confirmed become the next message to a durable quorum queue; one consumer per core copies batches into a
 * table, and acknowledges after the commit. It has its own queue and table.
 *
 * <p>It keeps the promise of a 202, on disk in the broker, and leaves out the rest: validation, ids in the answer,
 * idempotency (a redelivered message is written again), notifications, limits, retries, metrics. Any failure ends the
 * process.
 */
public final class WriteBaseline {

    private static final String QUEUE = "comments-baseline";
    private static final String TABLE = """
            CREATE TABLE IF NOT EXISTS comments_baseline (
                id         uuid        PRIMARY KEY,
                post_id    text        NOT NULL,
                user_id    text        NOT NULL,
                user_name  text        NOT NULL,
                content    text        NOT NULL,
                created_at timestamptz NOT NULL DEFAULT now()
            )""";
    private static final String COPY = "COPY comments_baseline (id, post_id, user_id, user_name, content) FROM STDIN";
    private static final List<String> FIELDS = List.of("postId", "userId", "userName", "content");
    private static final JsonFactory JSON = new JsonFactory();
    // the pipeline's defaults
    private static final int BATCH_SIZE = 5_000;
    private static final long BATCH_INTERVAL = TimeUnit.MILLISECONDS.toNanos(250);
    private static final int PREFETCH = 1_000;

    private record Post(Buffer body, HttpServerResponse response) {
    }

    private final Channel channel;
    private final ExecutorService publisher = Executors.newSingleThreadExecutor();
    // only the event loop uses these
    private final Context eventLoop;
    private List<Post> waiting = new ArrayList<>();
    private boolean publishing;

    private WriteBaseline(Channel channel, Context eventLoop) {
        this.channel = channel;
        this.eventLoop = eventLoop;
    }

    public static void main(String[] args) {
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> Settings.fail("Write baseline: " + thread.getName(), e));
        HttpServerOptions http = Settings.http();
        String postgres = Settings.postgres("Write baseline");
        Connection broker = connect();
        try {
            Channel publishing = broker.createChannel();
            publishing.queueDeclare(QUEUE, true, false, false, Map.of("x-queue-type", "quorum"));
            publishing.confirmSelect();
            for (int core = 0; core < Runtime.getRuntime().availableProcessors(); core++) {
                write(broker.createChannel());
            }
            Vertx vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));
            Context eventLoop = vertx.getOrCreateContext();
            WriteBaseline baseline = new WriteBaseline(publishing, eventLoop);
            eventLoop.runOnContext(start -> vertx.createHttpServer(http).requestHandler(baseline::accept).listen()
                    .onFailure(e -> Settings.fail("Write baseline: HTTP_PORT=" + http.getPort(), e))
                    .onSuccess(server -> System.out.println("Write baseline: listens on port " + server.actualPort())));
        } catch (IOException e) {
            Settings.fail("Write baseline: the queue " + QUEUE, e.getCause() == null ? e : e.getCause());
        } catch (SQLException e) {
            Settings.fail(postgres, e);
        }
    }

    private static Connection connect() {
        try {
            ConnectionFactory factory = new ConnectionFactory();
            factory.setUri(Settings.RABBITMQ_URI);
            factory.setAutomaticRecoveryEnabled(false);
            Connection connection = factory.newConnection("write-baseline");
            connection.addShutdownListener(cause -> Settings.fail("Write baseline: RabbitMQ", cause));
            return connection;
        } catch (Exception e) {
            Settings.fail("Write baseline: RABBITMQ_URI=" + Settings.shown(Settings.RABBITMQ_URI), e);
            throw new AssertionError(e);
        }
    }

    private void accept(HttpServerRequest request) {
        request.body().onSuccess(body -> {
            waiting.add(new Post(body, request.response()));
            publishWaiting();
        });
    }

    private void publishWaiting() {
        if (publishing || waiting.isEmpty()) {
            return;
        }
        publishing = true;
        List<Post> group = waiting;
        waiting = new ArrayList<>();
        publisher.execute(() -> {
            publish(group);
            eventLoop.runOnContext(confirmed -> {
                publishing = false;
                group.forEach(post -> post.response().setStatusCode(202).end());
                publishWaiting();
            });
        });
    }

    // returns when the queue has confirmed the message, a JSON array
    private void publish(List<Post> group) {
        Buffer message = Buffer.buffer(group.size() * 512);
        for (Post post : group) {
            message.appendByte((byte) (message.length() == 0 ? '[' : ',')).appendBuffer(post.body());
        }
        message.appendByte((byte) ']');
        try {
            channel.basicPublish("", QUEUE, MessageProperties.PERSISTENT_BASIC, message.getBytes());
            channel.waitForConfirmsOrDie(30_000);
        } catch (IOException | InterruptedException | TimeoutException e) {
            throw new IllegalStateException("not confirmed: " + e, e);
        }
    }

    // starts a consumer, and a thread with its own connection that writes the messages
    private static void write(Channel channel) throws IOException, SQLException {
        java.sql.Connection database = DriverManager.getConnection(Settings.POSTGRES_URL, Settings.POSTGRES_USER,
                Settings.POSTGRES_PASSWORD);
        try (Statement statement = database.createStatement()) {
            statement.execute(TABLE);
        }
        CopyManager copies = database.unwrap(PGConnection.class).getCopyAPI();
        BlockingQueue<Delivery> deliveries = new LinkedBlockingQueue<>();
        channel.basicQos(PREFETCH);
        channel.basicConsume(QUEUE, false, (tag, delivery) -> deliveries.add(delivery),
                tag -> Settings.fail("Write baseline", new IllegalStateException("the consumer was cancelled")));
        new Thread(() -> {
            try {
                while (true) {
                    writeBatch(channel, deliveries, copies);
                }
            } catch (IOException | SQLException | InterruptedException e) {
                throw new IllegalStateException("not written: " + e, e);
            }
        }, "writer").start();
    }

    private static void writeBatch(Channel channel, BlockingQueue<Delivery> deliveries, CopyManager copies)
            throws IOException, SQLException, InterruptedException {
        StringBuilder rows = new StringBuilder(1 << 20);
        int count = 0;
        long last = 0;
        Delivery delivery = deliveries.take();
        long end = System.nanoTime() + BATCH_INTERVAL;
        while (delivery != null) {
            count += append(delivery.getBody(), rows);
            last = delivery.getEnvelope().getDeliveryTag();
            delivery = count >= BATCH_SIZE ? null : deliveries.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
        }
        byte[] bytes = rows.toString().getBytes(StandardCharsets.UTF_8);
        CopyIn copy = copies.copyIn(COPY);
        copy.writeToCopy(bytes, 0, bytes.length);
        copy.endCopy();
        channel.basicAck(last, true);
    }

    // appends a row for each comment of a message, and returns their number
    private static int append(byte[] message, StringBuilder rows) throws IOException {
        int count = 0;
        String[] values = new String[FIELDS.size()];
        try (JsonParser parser = JSON.createParser(message)) {
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                if (token == JsonToken.FIELD_NAME) {
                    int field = FIELDS.indexOf(parser.getCurrentName());
                    String value = parser.nextTextValue();
                    if (field >= 0) {
                        values[field] = value;
                    }
                } else if (token == JsonToken.END_OBJECT) {
                    rows.append(newId());
                    for (String value : values) {
                        rows.append('\t');
                        appendEscaped(value, rows);
                    }
                    rows.append('\n');
                    count++;
                }
            }
        }
        return count;
    }

    private static void appendEscaped(String value, StringBuilder rows) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            switch (c) {
                case '\\' -> rows.append("\\\\");
                case '\t' -> rows.append("\\t");
                case '\n' -> rows.append("\\n");
                case '\r' -> rows.append("\\r");
                default -> rows.append(c);
            }
        }
    }

    // a UUID of version 7: in the order of time, as the pipeline's
    private static UUID newId() {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        return new UUID(System.currentTimeMillis() << 16 | 0x7000 | random.nextInt(0x1000),
                Long.MIN_VALUE | random.nextLong() >>> 2);
    }
}
