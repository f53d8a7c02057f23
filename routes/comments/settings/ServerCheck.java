package comments.settings;

import comments.rabbitmq.RabbitConnectionFactory;
import java.sql.Connection;
import java.util.concurrent.Callable;
import org.springframework.amqp.AmqpException;

/** Connects to each server before a route does, and names the one that can't be used. The thread that starts the process calls it. */
public final class ServerCheck {

    private ServerCheck() {
    }

    /**
     * Connects to the broker once.
     *
     * @throws ConfigurationException if that fails
     */
    public static void broker(String uri) {
        RabbitConnectionFactory connections = new RabbitConnectionFactory();
        try {
            connections.setUri(uri);
            connections.createConnection().close();
        } catch (AmqpException e) {
            throw new ConfigurationException("RABBITMQ_URI: the broker at %s can't be used: %s".formatted(
                    String.join(",", connections.nodes()), rootMessage(e)));
        } finally {
            connections.destroy();
        }
    }

    /**
     * Connects to the database once.
     *
     * @throws ConfigurationException if that fails
     */
    public static void database(Callable<Connection> connect) {
        try (Connection connection = connect.call()) {
            connection.getMetaData();
        } catch (Exception e) {
            throw new ConfigurationException("POSTGRES_URL, POSTGRES_USER, POSTGRES_PASSWORD: the database can't be used: "
                    + rootMessage(e));
        }
    }

    /** The first line of the message of the first cause. */
    public static String rootMessage(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        String message = root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
        return message.lines().findFirst().orElse(message);
    }
}
