package comments.support;

import com.rabbitmq.client.BuiltinExchangeType;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import comments.postgresql.SchemaMigration;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import org.apache.camel.impl.DefaultCamelContext;

/** The servers of {@link PrivateServers}, with their users, and with two databases that others are copied from. */
record StartedServers(Path folder, TestCertificate certificate, List<PrivateRabbitMQ> nodes, PrivatePostgreSQL postgresql)
        implements AutoCloseable {

    /** The database that has the roles only. */
    static final String WITHOUT_SCHEMA = "without_schema";
    static final String WITH_SCHEMA = "with_schema";

    private static final String EXCHANGE = "pushes";

    static StartedServers start(int size, boolean encrypted) {
        try {
            Path folder = Files.createTempDirectory("certificate");
            TestCertificate certificate = encrypted ? TestCertificate.create(folder) : null;
            FutureTask<PrivatePostgreSQL> postgresql = meanwhile(PrivatePostgreSQL::start);
            List<PrivateRabbitMQ> nodes =
                    encrypted ? List.of(PrivateRabbitMQ.start(certificate)) : PrivateRabbitMQ.startCluster(size);
            StartedServers started = new StartedServers(folder, certificate, nodes, postgresql.get());
            try {
                started.prepare();
            } catch (Exception e) {
                started.close();
                throw e;
            }
            return started;
        } catch (Exception e) {
            throw new IllegalStateException("the servers can't be started", e);
        }
    }

    private void prepare() throws Exception {
        FutureTask<Void> databases = meanwhile(() -> {
            makeDatabases();
            return null;
        });
        addUsers();
        databases.get();
    }

    private static <T> FutureTask<T> meanwhile(Callable<T> task) {
        FutureTask<T> running = new FutureTask<>(task);
        new Thread(running, "start").start();
        return running;
    }

    private void addUsers() throws Exception {
        String password = PrivateServers.PASSWORD;
        nodes.get(0).run(Path.of("docker", "rabbitmq-users"), Map.of("COMMENT_SERVICE_PASSWORD", password,
                "COMMENT_JOB_PROCESSOR_PASSWORD", password, "COMMENT_CHANGES_PASSWORD", password, "NOTIFICATION_SERVICE_PASSWORD", password,
                "COMMENT_READER_PASSWORD", password, "COMMENTS_PASSWORD", password));
        try (Connection connection = connect(nodes.get(0)); Channel channel = connection.createChannel()) {
            channel.exchangeDeclare(EXCHANGE, BuiltinExchangeType.FANOUT, true);
        }
    }

    private void makeDatabases() throws Exception {
        String password = PrivateServers.PASSWORD;
        if (certificate != null) {
            postgresql.encrypt(certificate);
        }
        postgresql.execute("CREATE DATABASE " + WITHOUT_SCHEMA);
        postgresql.run(Path.of("docker", "postgresql-roles.sql"), WITHOUT_SCHEMA, Map.of("COMMENTS_OWNER_PASSWORD", password,
                "COMMENTS_WRITER_PASSWORD", password, "COMMENTS_CHANGER_PASSWORD", password, "COMMENTS_READER_PASSWORD", password));
        postgresql.execute("CREATE DATABASE %s TEMPLATE %s".formatted(WITH_SCHEMA, WITHOUT_SCHEMA));
        try (DefaultCamelContext context = new DefaultCamelContext()) {
            SchemaMigration schema = new SchemaMigration();
            schema.setCamelContext(context);
            schema.setScripts(TestServers.migrations());
            schema.setPrivileges("sql/privileges.sql");
            schema.setJdbcUrl(postgresql.url(WITH_SCHEMA));
            schema.setUsername(PrivateServers.OWNER);
            schema.setPassword(password);
            schema.await(0);
        }
    }

    /** Connects to a node as a user who may do everything. */
    static Connection connect(PrivateRabbitMQ node) throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(node.uri());
        // a node that has just started on a busy machine takes longer than the default of 10 s
        factory.setHandshakeTimeout(60_000);
        return factory.newConnection("test");
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
