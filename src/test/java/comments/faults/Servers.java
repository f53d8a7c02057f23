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

/** A RabbitMQ node and a PostgreSQL cluster that the tests of a class share, one after the other. */
final class Servers implements BeforeAllCallback, AfterAllCallback {

    private PrivateRabbitMQ rabbitmq;
    private PrivatePostgreSQL postgresql;

    @Override
    public void beforeAll(ExtensionContext context) throws Exception {
        assumeTrue(PrivateRabbitMQ.missing() == null, PrivateRabbitMQ::missing);
        assumeTrue(PrivatePostgreSQL.missing() == null, PrivatePostgreSQL::missing);
        rabbitmq = PrivateRabbitMQ.start();
        postgresql = PrivatePostgreSQL.start();
    }

    PrivateRabbitMQ rabbitmq() {
        return rabbitmq;
    }

    PrivatePostgreSQL postgresql() {
        return postgresql;
    }

    /** A connection of the test's own to RabbitMQ. */
    Connection connectToBroker() throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(rabbitmq.uri());
        return factory.newConnection("test");
    }

    /** Starts what a test left stopped. */
    void restore() throws Exception {
        if (!rabbitmq.isRunning()) {
            rabbitmq.startServer();
        }
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

    /** Declares a queue as the application does. */
    void declare(String queue) throws Exception {
        try (Connection connection = connectToBroker(); Channel channel = connection.createChannel()) {
            channel.queueDeclare(queue, true, false, false, Map.of("x-queue-type", "quorum"));
        }
    }

    @Override
    public void afterAll(ExtensionContext context) throws Exception {
        if (rabbitmq != null) {
            rabbitmq.close();
        }
        if (postgresql != null) {
            postgresql.close();
        }
    }
}
