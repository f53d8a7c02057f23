package comments.support;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.rabbitmq.client.BuiltinExchangeType;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import comments.postgresql.SchemaMigration;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.Store;

/**
 * A RabbitMQ and a PostgreSQL of the tests' own, with the users of docker/rabbitmq-users and the roles of
 * docker/postgresql-roles.sql. As those the application runs, so that all tests pass with the least privileges; it declares
 * no queue and makes no schema then.
 *
 * <p>One node and one cluster of PostgreSQL are started for all test classes that want no other, which use them one after the
 * other. The tests are skipped where the servers are not installed.
 */
public class PrivateServers implements BeforeAllCallback {

    /** The role that the application runs as. */
    public static final String WRITER = "comments_writer";
    /** The role that comment-reader runs as by itself. */
    public static final String READER = "comments_reader";
    /** The role that makes the schema. */
    public static final String OWNER = "comments_owner";
    public static final String PASSWORD = "only-for-tests";

    private static final Namespace NAMESPACE = Namespace.create(PrivateServers.class);
    private static final List<String> QUEUES = List.of("comments", "notifications");
    private static final String EXCHANGE = "pushes";
    private static final String WITHOUT_SCHEMA = "without_schema";
    private static final String WITH_SCHEMA = "with_schema";
    private static final AtomicInteger DATABASES = new AtomicInteger();

    private final int size;
    private final boolean encrypted;
    private Running running;

    /** The servers that others use, too. */
    public PrivateServers() {
        this(1, false);
    }

    /** A RabbitMQ of so many nodes, which no other class uses if they are several. */
    public PrivateServers(int size) {
        this(size, false);
    }

    private PrivateServers(int size, boolean encrypted) {
        this.size = size;
        this.encrypted = encrypted;
    }

    /** Servers that speak TLS, and that no other class uses. */
    public static PrivateServers encrypted() {
        return new PrivateServers(1, true);
    }

    private record Running(Path folder, TestCertificate certificate, List<PrivateRabbitMQ> nodes, PrivatePostgreSQL postgresql)
            implements AutoCloseable {

        static Running start(int size, boolean encrypted) {
            try {
                Path folder = Files.createTempDirectory("certificate");
                 TestCertificate certificate = encrypted ? TestCertificate.create(folder) : null;
                Running running = new Running(folder, certificate,
                        encrypted ? List.of(PrivateRabbitMQ.start(certificate)) : PrivateRabbitMQ.startCluster(size),
                        PrivatePostgreSQL.start());
                if (encrypted) {
                    running.postgresql.encrypt(certificate);
                }
                running.addUsers();
                return running;
            } catch (Exception e) {
                throw new IllegalStateException("the servers can't be started", e);
            }
        }

        private void addUsers() throws Exception {
            nodes.get(0).run(Path.of("docker", "rabbitmq-users"), Map.of("COMMENT_SERVICE_PASSWORD", PASSWORD,
                    "COMMENT_JOB_PROCESSOR_PASSWORD", PASSWORD, "NOTIFICATION_SERVICE_PASSWORD", PASSWORD,
                    "COMMENT_READER_PASSWORD", PASSWORD, "COMMENTS_PASSWORD", PASSWORD));
            try (Connection connection = connect(nodes.get(0)); Channel channel = connection.createChannel()) {
                channel.exchangeDeclare(EXCHANGE, BuiltinExchangeType.FANOUT, true);
            }
            postgresql.execute("CREATE DATABASE " + WITHOUT_SCHEMA);
            postgresql.run(Path.of("docker", "postgresql-roles.sql"), WITHOUT_SCHEMA,
                    "owner_password=" + PASSWORD, "writer_password=" + PASSWORD, "reader_password=" + PASSWORD);
            postgresql.execute("CREATE DATABASE %s TEMPLATE %s".formatted(WITH_SCHEMA, WITHOUT_SCHEMA));
            try (DefaultCamelContext context = new DefaultCamelContext()) {
                SchemaMigration schema = new SchemaMigration();
                schema.setCamelContext(context);
                schema.setScripts(migrations());
                schema.setJdbcUrl(postgresql.url(WITH_SCHEMA));
                schema.setUsername(OWNER);
                schema.setPassword(PASSWORD);
                schema.await(0);
            }
        }

        private static String migrations() throws IOException {
            try (Stream<Path> scripts = Files.list(Path.of("routes", "sql"))) {
                return scripts.map(script -> "sql/" + script.getFileName()).filter(script -> script.startsWith("sql/V")).sorted()
                        .collect(Collectors.joining(","));
            }
        }

        @Override
        public void close() throws Exception {
            // the folder of the first is home to all
            for (int i = nodes.size() - 1; i >= 0; i--) {
                nodes.get(i).close();
            }
            postgresql.close();
            TemporaryFolder.delete(folder);
        }
    }

    @Override
    public void beforeAll(ExtensionContext context) throws Exception {
        assumeTrue(PrivateRabbitMQ.missing() == null, PrivateRabbitMQ::missing);
        assumeTrue(PrivatePostgreSQL.missing() == null, PrivatePostgreSQL::missing);
        boolean shared = size == 1 && !encrypted;
        Store store = shared ? context.getRoot().getStore(NAMESPACE) : context.getStore(NAMESPACE);
        // a key of its own, since a store also has what is in those above it
        running = store.getOrComputeIfAbsent(List.of(size, encrypted), key -> Running.start(size, encrypted), Running.class);
    }

    /** The node, or one that runs. */
    public PrivateRabbitMQ rabbitmq() {
        return nodes().stream().filter(PrivateRabbitMQ::isRunning).findFirst().orElse(nodes().get(0));
    }

    /** All nodes. */
    public List<PrivateRabbitMQ> nodes() {
        return running.nodes();
    }

    public PrivatePostgreSQL postgresql() {
        return running.postgresql();
    }

    /** The certificate of servers that speak TLS. */
    public TestCertificate certificate() {
        return running.certificate();
    }

    // ---- what the application needs ----

    /**
     * The knobs of a process that runs with the least privileges.
     *
     * @param roles the value of {@code COMMENTS_ROLES}
     */
    public Map<String, String> knobs(String roles, String database) {
        return Map.of("COMMENTS_ROLES", roles, "RABBITMQ_URI", brokerUri(roles, List.of(rabbitmq().port())),
                "POSTGRES_URL", postgresql().url(database), "POSTGRES_USER", roles.equals("comment-reader") ? READER : WRITER,
                "POSTGRES_PASSWORD", PASSWORD, "POSTGRES_MIGRATE", "false");
    }

    /** The address of a RabbitMQ, with the user that a process with these roles needs. */
    public static String brokerUri(String roles, List<Integer> ports) {
        return "amqp://%s:%s@%s".formatted(roles.contains(",") ? "comments" : roles, PASSWORD,
                ports.stream().map(port -> "127.0.0.1:" + port).collect(Collectors.joining(",")));
    }

    /** A new database with the schema and without comments; returns its name. */
    public String newDatabase() throws SQLException {
        return newDatabase(WITH_SCHEMA);
    }

    /** A new database that has the roles only; returns its name. */
    public String newDatabaseWithoutSchema() throws SQLException {
        return newDatabase(WITHOUT_SCHEMA);
    }

    private String newDatabase(String template) throws SQLException {
        String name = "test" + DATABASES.incrementAndGet();
        postgresql().execute("CREATE DATABASE %s TEMPLATE %s".formatted(name, template));
        return name;
    }

    /** A connection of the test's own to RabbitMQ, as a user who may do everything. */
    public Connection connectToBroker() throws Exception {
        return connect(rabbitmq());
    }

    private static Connection connect(PrivateRabbitMQ node) throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(node.uri());
        return factory.newConnection("test");
    }

    /** Declares a queue as the application does when it may. */
    public void declare(String queue) throws Exception {
        try (Connection connection = connectToBroker(); Channel channel = connection.createChannel()) {
            channel.queueDeclare(queue, true, false, false, Map.of("x-queue-type", "quorum"));
        }
    }

    /** Declares the queues anew, whatever was in them. */
    public void emptyQueues() throws Exception {
        deleteQueues();
        for (String queue : QUEUES) {
            declare(queue);
        }
    }

    /** Deletes the queues. */
    public void deleteQueues() throws Exception {
        try (Connection connection = connectToBroker(); Channel channel = connection.createChannel()) {
            for (String queue : QUEUES) {
                channel.queueDelete(queue);
            }
        }
    }
}
