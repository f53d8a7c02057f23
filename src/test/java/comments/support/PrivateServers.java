package comments.support;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.Store;

/**
 * A RabbitMQ and a PostgreSQL of the tests' own, with the users of docker/rabbitmq-users and the roles of
 * docker/postgresql-roles.sql. As those the application runs, so that all tests pass with the least privileges; it declares
 * no queue and makes no schema then.
 *
 * <p>Each test has a new database and empty queues. The processes that a test starts are ended after it; those that a class
 * starts before its tests are ended after the class.
 *
 * <p>One node and one cluster of PostgreSQL are started for all test classes of a JVM that want no other, which use them one
 * after the other. A test with the tag {@link #ALONE} runs while no other does in another JVM. The tests are skipped where the
 * servers are not installed.
 */
public class PrivateServers implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {

    /** The role that the application runs as. */
    public static final String WRITER = "comments_writer";
    /** The role that comment-changes runs as, and a process that does everything. */
    public static final String CHANGER = "comments_changer";
    /** The role that comment-reader runs as by itself. */
    public static final String READER = "comments_reader";
    /** The role that makes the schema. */
    public static final String OWNER = "comments_owner";
    public static final String PASSWORD = "only-for-tests";
    /** Roles for a process that does everything. */
    public static final String ALL = "comment-service,comment-job-processor,comment-changes,notification-service,comment-reader";

    /** The tag of a test that RabbitMQ and PostgreSQL of other versions may not pass. */
    public static final String VERSIONS = "versions";
    /** The tag of a test that has bounds of time which hold only while no other test runs. */
    public static final String ALONE = "alone";

    private static final Namespace NAMESPACE = Namespace.create(PrivateServers.class);
    private static final List<String> QUEUES = List.of("comments", "comment-changes", "notifications");
    private static final AtomicInteger DATABASES = new AtomicInteger();
    private static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(60);
    /** A queue is empty when it is so for this long, */
    private static final Duration EMPTY = Duration.ofSeconds(1);
    /** and the broker runs for this long: before, it may say 0 of a queue that has messages. */
    private static final Duration TRUSTED = Duration.ofSeconds(5);

    private final int size;
    private final boolean encrypted;
    private final boolean prepared;
    private final boolean eachTest;
    private final List<AutoCloseable> ofClass = new ArrayList<>();
    private final List<AutoCloseable> ofTest = new ArrayList<>();
    private StartedServers servers;
    private String database;
    private boolean inTest;
    private MachineLock lock;

    /** The servers that others use, too. */
    public PrivateServers() {
        this(1, false, true, true);
    }

    /** A RabbitMQ of so many nodes, which no other class uses if they are several. */
    public PrivateServers(int size) {
        this(size, false, true, true);
    }

    private PrivateServers(int size, boolean encrypted, boolean prepared, boolean eachTest) {
        this.size = size;
        this.encrypted = encrypted;
        this.prepared = prepared;
        this.eachTest = eachTest;
    }

    /** Servers that speak TLS, and that no other class uses. */
    public static PrivateServers encrypted() {
        return new PrivateServers(1, true, true, true);
    }

    /** Neither queues nor a schema: the application makes them, as users who may do everything. */
    public static PrivateServers unprepared() {
        return new PrivateServers(1, false, false, true);
    }

    /** One database and one set of queues for all tests of the class, which share processes. */
    public static PrivateServers ofClass() {
        return new PrivateServers(1, false, true, false);
    }

    // ---- before and after ----

    @Override
    public void beforeAll(ExtensionContext context) throws Exception {
        assumeTrue(PrivateRabbitMQ.missing() == null, PrivateRabbitMQ::missing);
        assumeTrue(PrivatePostgreSQL.missing() == null, PrivatePostgreSQL::missing);
        boolean shared = size == 1 && !encrypted;
        Store store = shared ? context.getRoot().getStore(NAMESPACE) : context.getStore(NAMESPACE);
        // a key of its own, since a store also has what is in those above it
        servers = store.getOrComputeIfAbsent(List.of(size, encrypted), key -> StartedServers.start(size, encrypted),
                StartedServers.class);
        if (!eachTest) {
            empty();
        }
    }

    @Override
    public void beforeEach(ExtensionContext context) throws Exception {
        lock = MachineLock.take(context);
        inTest = true;
        if (eachTest) {
            empty();
        }
    }

    private void empty() throws Exception {
        // a broker on a busy machine may fail to do so in time, and answer with INTERNAL_ERROR
        await("queues").atMost(DRAIN_TIMEOUT).ignoreExceptions().until(() -> {
            deleteQueues();
            for (String queue : prepared ? QUEUES : List.<String>of()) {
                declare(queue);
            }
            return true;
        });
        database = newDatabase(prepared ? StartedServers.WITH_SCHEMA : StartedServers.WITHOUT_SCHEMA);
    }

    @Override
    public void afterEach(ExtensionContext context) throws Exception {
        inTest = false;
        try {
            close(ofTest);
            if (eachTest) {
                dropDatabase();
            }
        } finally {
            lock.close();
        }
    }

    @Override
    public void afterAll(ExtensionContext context) throws Exception {
        close(ofClass);
        if (!eachTest && servers != null) {
            dropDatabase();
        }
    }

    private static void close(List<AutoCloseable> started) throws Exception {
        // they end at the same time
        started.stream().filter(JarProcess.class::isInstance).forEach(process -> ((JarProcess) process).requestEnd());
        for (int i = started.size() - 1; i >= 0; i--) {
            started.get(i).close();
        }
        started.clear();
    }

    // ---- the servers ----

    /** The node, or one that runs. */
    public PrivateRabbitMQ rabbitmq() {
        return nodes().stream().filter(PrivateRabbitMQ::isRunning).findFirst().orElse(nodes().get(0));
    }

    /** All nodes. */
    public List<PrivateRabbitMQ> nodes() {
        return servers.nodes();
    }

    public PrivatePostgreSQL postgresql() {
        return servers.postgresql();
    }

    // ---- the application ----

    /** The address of a RabbitMQ, with the user that a process with these roles needs. */
    public static String brokerUri(String roles, List<Integer> ports) {
        return "amqp://%s:%s@%s".formatted(roles.contains(",") ? "comments" : roles, PASSWORD,
                ports.stream().map(port -> "127.0.0.1:" + port).collect(Collectors.joining(",")));
    }

    /**
     * The settings of a process.
     *
     * @param roles the value of {@code COMMENTS_ROLES}
     * @param more names and values of other settings, in turn
     */
    public Map<String, String> settings(String roles, Object... more) {
        Map<String, String> settings = new HashMap<>(Map.of("COMMENTS_ROLES", roles, "POSTGRES_URL", postgresql().url(database)));
        if (prepared) {
            settings.putAll(Map.of("RABBITMQ_URI", brokerUri(roles, List.of(rabbitmq().port())),
                    "POSTGRES_USER", roles.equals("comment-reader") ? READER : roles.contains("comment-changes") ? CHANGER : WRITER,
                    "POSTGRES_PASSWORD", PASSWORD, "POSTGRES_MIGRATE", "false"));
        } else {
            settings.putAll(Map.of("RABBITMQ_URI", rabbitmq().uri(), "POSTGRES_USER", "postgres"));
        }
        if (encrypted) {
            settings.put("RABBITMQ_URI", brokerUri(roles, List.of(rabbitmq().tlsPort())).replaceFirst("amqp", "amqps"));
            settings.merge("POSTGRES_URL", "?sslmode=verify-full&sslrootcert=" + servers.certificate().certificateFile(),
                    String::concat);
        }
        for (int i = 0; i < more.length; i += 2) {
            settings.put(more[i].toString(), more[i + 1].toString());
        }
        return settings;
    }

    /** Starts the packaged application, and waits until it is ready. */
    public JarProcess start(String roles, Object... more) throws Exception {
        return launch(roles, more).awaitReady();
    }

    /** Starts the application by a command, and waits until it is ready. */
    public JarProcess start(ProcessBuilder command, String roles, Object... more) throws Exception {
        return launch(command, roles, more).awaitReady();
    }

    /** Starts the packaged application, and returns at once. Where the servers speak TLS, it trusts their certificate. */
    public JarProcess launch(String roles, Object... more) throws Exception {
        List<String> arguments = new ArrayList<>(JarProcess.PACKAGED);
        if (encrypted) {
            arguments.addAll(0, List.of("-Djavax.net.ssl.trustStore=" + servers.certificate().trustStore(),
                    "-Djavax.net.ssl.trustStorePassword=" + servers.certificate().password()));
        }
        return launch(JarProcess.java(arguments), roles, more);
    }

    /** Starts the application by a command, and returns at once. */
    public JarProcess launch(ProcessBuilder command, String roles, Object... more) throws Exception {
        return closeLater(JarProcess.launch(command, settings(roles, more)));
    }

    /** Starts the application in this JVM, where it is ready sooner. */
    public TestPipeline startHere(String roles, Object... more) throws Exception {
        return closeLater(TestPipeline.start(settings(roles, more)));
    }

    private <T extends AutoCloseable> T closeLater(T started) {
        (inTest ? ofTest : ofClass).add(started);
        return started;
    }

    /** Lets a process that a test started live until the end of the class. */
    public JarProcess keep(JarProcess process) {
        ofTest.remove(process);
        ofClass.add(process);
        return process;
    }

    // ---- the database ----

    /** The name of the test's database. */
    public String database() {
        return database;
    }

    /** Connects to the test's database as the superuser. */
    public java.sql.Connection connectToDatabase() throws SQLException {
        return postgresql().connect(database);
    }

    /** The contents of the comments in the table, by their ids. */
    public Map<String, String> rows() throws SQLException {
        Map<String, String> contents = new HashMap<>();
        try (java.sql.Connection connection = connectToDatabase(); Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT id, content FROM comments")) {
            while (rows.next()) {
                contents.put(rows.getString(1), rows.getString(2));
            }
        }
        return contents;
    }

    /** The number that a query has as its only result. */
    public long number(String sql) throws SQLException {
        try (java.sql.Connection connection = connectToDatabase(); Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        }
    }

    private String newDatabase(String template) throws SQLException {
        String name = "test" + DATABASES.incrementAndGet();
        postgresql().execute("CREATE DATABASE %s TEMPLATE %s".formatted(name, template));
        return name;
    }

    private void dropDatabase() throws SQLException {
        postgresql().execute("DROP DATABASE IF EXISTS " + database + " WITH (FORCE)");
    }

    /** Gives the test a database that has the roles only, and no queues. */
    public void removeSchemaAndQueues() throws Exception {
        deleteQueues();
        dropDatabase();
        database = newDatabase(StartedServers.WITHOUT_SCHEMA);
    }

    // ---- the queues ----

    /** A connection of the test's own to RabbitMQ, as a user who may do everything. */
    public Connection connectToBroker() throws Exception {
        return StartedServers.connect(rabbitmq());
    }

    /** Declares a queue as the application does when it may. */
    public void declare(String queue) throws Exception {
        try (Connection connection = connectToBroker(); Channel channel = connection.createChannel()) {
            channel.queueDeclare(queue, true, false, false, Map.of("x-queue-type", "quorum"));
        }
    }

    // those of streams are deleted with their connections
    public void deleteQueues() throws Exception {
        try (Connection connection = connectToBroker(); Channel channel = connection.createChannel()) {
            for (String queue : rabbitmq().queues().keySet()) {
                if (!queue.startsWith("comment-stream.")) {
                    channel.queueDelete(queue);
                }
            }
        }
    }

    /** Waits until all queues are empty, and nothing is unacknowledged; one 0 is not enough. */
    public void awaitDrained() {
        await("empty queues").during(EMPTY).atMost(DRAIN_TIMEOUT).pollInterval(EMPTY.dividedBy(4)).ignoreExceptions()
                .until(() -> nodes().stream().noneMatch(node -> node.isYoungerThan(TRUSTED))
                        && rabbitmq().queues().values().stream().allMatch(queue -> queue.messages() == 0));
    }
}
