package comments;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.qpid.server.SystemLauncher;
import org.apache.qpid.server.SystemLauncherListener;
import org.apache.qpid.server.model.BrokerImpl;
import org.apache.qpid.server.model.SystemConfig;

/**
 * An AMQP 0-9-1 broker in this JVM, on loopback: Apache Qpid Broker-J, for trials and for tests. The
 * routes run on it as on RabbitMQ, but it has no quorum queues: it ignores that argument.
 */
public final class EmbeddedBroker implements AutoCloseable {

    private static final String CONFIGURATION = "broker.json";
    private static final String DERBY_LOG = "derby.log";
    private static final String USER = "comments";

    private final AtomicReference<SystemConfig<?>> system = new AtomicReference<>();
    private final SystemLauncher launcher = new SystemLauncher(new SystemLauncherListener.DefaultSystemLauncherListener() {
        @Override
        public void onContainerResolve(SystemConfig<?> resolved) {
            system.set(resolved);
        }
    });
    private final int port;
    private final String password;

    private EmbeddedBroker(int port, String password) {
        this.port = port;
        this.password = password;
    }

    /**
     * Starts a broker whose durable queues and persistent messages are in a folder.
     *
     * @param data the folder; it may be empty, or have the data of an earlier run
     * @param password of its only user
     */
    static EmbeddedBroker startIn(Path data, String password) throws Exception {
        return start("DERBY", data, password);
    }

    /** Starts a broker with a random password, whose data is lost when it ends. */
    public static EmbeddedBroker startInMemory() throws Exception {
        Path folder = Files.createTempDirectory("embedded-broker");
        folder.toFile().deleteOnExit();
        folder.resolve(CONFIGURATION).toFile().deleteOnExit();
        folder.resolve(DERBY_LOG).toFile().deleteOnExit();
        return start("Memory", folder, EmbeddedPassword.random());
    }

    private static EmbeddedBroker start(String store, Path data, String password) throws Exception {
        // by default Derby, the store of the messages, writes its log into the working directory
        System.setProperty("derby.stream.error.file", data.resolve(DERBY_LOG).toString());
        EmbeddedBroker broker = new EmbeddedBroker(FreePort.find(), password);
        Path configuration = Files.createDirectories(data).resolve(CONFIGURATION);
        EmbeddedPassword.write(configuration, template().replace("@TYPE@", store).replace("@USER@", USER).replace("@PASSWORD@", password));
        broker.launcher.startup(Map.of(
                "type", "Memory",
                "initialConfigurationLocation", configuration.toUri().toString(),
                "startupLoggedToSystemOut", "false",
                "context", Map.of(
                        "qpid.amqp_port", Integer.toString(broker.port),
                        "qpid.work_dir", data.toAbsolutePath().toString(),
                        // x-queue-type is specific to RabbitMQ
                        "queue.behaviourOnUnknownDeclareArgument", "LOG")));
        broker.removeShutdownHook();
        return broker;
    }

    // The hook ends the broker when the JVM is asked to end, while the routes still settle their messages.
    private void removeShutdownHook() throws ReflectiveOperationException {
        Field hook = BrokerImpl.class.getDeclaredField("_shutdownHook");
        hook.setAccessible(true);
        Runtime.getRuntime().removeShutdownHook((Thread) hook.get(system.get().getContainer()));
    }

    private static String template() throws IOException {
        try (InputStream json = EmbeddedBroker.class.getResourceAsStream("/embedded-broker.json")) {
            return new String(json.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** Its address, with its only user and the password. */
    public String uri() {
        return "amqp://%s:%s@127.0.0.1:%d".formatted(USER, password, port);
    }

    /** Its address, without a password. */
    String address() {
        return "amqp://%s@127.0.0.1:%d".formatted(USER, port);
    }

    @Override
    public void close() {
        launcher.shutdown();
    }
}
