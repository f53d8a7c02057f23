package comments.faults;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import comments.PrivatePostgreSQL;
import comments.PrivateRabbitMQ;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A RabbitMQ of one or more nodes and a PostgreSQL cluster that the tests of a class share, one after the other. */
final class Servers implements BeforeAllCallback, AfterAllCallback {

    private static final String LIMIT = "limit";

    private final int size;
    private List<PrivateRabbitMQ> nodes = List.of();
    private PrivatePostgreSQL postgresql;

    /** One node of RabbitMQ. */
    Servers() {
        this(1);
    }

    /** A cluster of so many nodes of RabbitMQ. */
    Servers(int size) {
        this.size = size;
    }

    @Override
    public void beforeAll(ExtensionContext context) throws Exception {
        assumeTrue(PrivateRabbitMQ.missing() == null, PrivateRabbitMQ::missing);
        assumeTrue(PrivatePostgreSQL.missing() == null, PrivatePostgreSQL::missing);
        nodes = PrivateRabbitMQ.startCluster(size);
        postgresql = PrivatePostgreSQL.start();
    }

    /** The node, or one that runs. */
    PrivateRabbitMQ rabbitmq() {
        return nodes.stream().filter(PrivateRabbitMQ::isRunning).findFirst().orElse(nodes.get(0));
    }

    /** All nodes. */
    List<PrivateRabbitMQ> nodes() {
        return nodes;
    }

    PrivatePostgreSQL postgresql() {
        return postgresql;
    }

    /** A connection of the test's own to RabbitMQ. */
    Connection connectToBroker() throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(rabbitmq().uri());
        return factory.newConnection("test");
    }

    /** Starts what a test left stopped. */
    void restore() throws Exception {
        for (PrivateRabbitMQ node : nodes) {
            if (!node.isRunning()) {
                node.startServer();
            }
        }
        liftLimit();
        if (postgresql.isRunning()) {
            postgresql.thaw();
        } else {
            postgresql.startServer();
        }
    }

    /** Deletes the queues, whatever is in them. */
    void deleteQueues() throws Exception {
        try (Connection connection = connectToBroker(); Channel channel = connection.createChannel()) {
            for (String queue : List.of("comments", "notifications")) {
                channel.queueDelete(queue);
            }
        }
    }

    /** Lets a queue refuse what comes when it holds this many messages. */
    void limit(String queue, int messages) throws Exception {
        rabbitmq().ctl("set_policy", "--apply-to", "queues", LIMIT, "^" + queue + "$",
                "{\"max-length\":%d,\"overflow\":\"reject-publish\"}".formatted(messages));
    }

    /** Takes the limit away again. */
    void liftLimit() throws Exception {
        if (rabbitmq().ctl("list_policies").contains(LIMIT)) {
            rabbitmq().ctl("clear_policy", LIMIT);
        }
    }

    /** Lets the broker find its disk too full for what is published: the alarm that blocks publishing connections. */
    void fillDisk() throws Exception {
        rabbitmq().ctl("set_disk_free_limit", "100000GB");
    }

    /** Ends the alarm. */
    void freeDisk() throws Exception {
        rabbitmq().ctl("set_disk_free_limit", "50MB");
    }

    /** Declares a queue as the application does. */
    void declare(String queue) throws Exception {
        try (Connection connection = connectToBroker(); Channel channel = connection.createChannel()) {
            channel.queueDeclare(queue, true, false, false, Map.of("x-queue-type", "quorum"));
        }
    }

    @Override
    public void afterAll(ExtensionContext context) throws Exception {
        // the folder of the first is home to all
        for (int i = nodes.size() - 1; i >= 0; i--) {
            nodes.get(i).close();
        }
        if (postgresql != null) {
            postgresql.close();
        }
    }
}
