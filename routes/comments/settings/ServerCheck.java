package comments.settings;

import comments.rabbitmq.FanoutConnectionFactory;
import comments.rabbitmq.RefusedDeclarationException;
import comments.rabbitmq.SpreadConnectionFactory;
import java.sql.Connection;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.springframework.amqp.AmqpException;

/** Connects to each server before a route does, and names the one that can't be used. The thread that starts the process calls it. */
public final class ServerCheck {

    /** Which roles use a queue. */
    private static final Map<String, Set<String>> QUEUES = new TreeMap<>(Map.of(
            "comments", Set.of("comment-service", "comment-job-processor"),
            "comment-changes", Set.of("comment-service", "comment-changes"),
            "notifications", Set.of("comment-job-processor", "notification-service")));

    private ServerCheck() {
    }

    /**
     * Connects to the broker once, and declares the queues comments and notifications and the exchange, as far as these roles use
     * them. comment-service needs all of its queues; comment-job-processor takes from those that are there. The queue notifications-refused is declared at the first refused push: a process without it must start.
     *
     * @param queues over how many queues comments are spread
     * @throws ConfigurationException if that fails
     */
    public static void broker(String uri, String roles, int queues) {
        FanoutConnectionFactory connections = new FanoutConnectionFactory();
        try {
            connections.setUri(uri);
            QUEUES.forEach((queue, users) -> {
                if (users.stream().anyMatch(roles::contains)) {
                    connections.setQueue(queue);
                }
            });
            if (roles.contains("comment-service")) {
                connections.setFurtherQueues(SpreadConnectionFactory.further("comments", queues));
            }
            if (roles.contains("notification-service") || roles.contains("comment-changes")) {
                connections.setExchange("pushes");
            }
            connections.probe();
        } catch (RefusedDeclarationException e) {
            throw new ConfigurationException("RABBITMQ_URI: " + e.getMessage());
        } catch (AmqpException e) {
            throw new ConfigurationException("RABBITMQ_URI: the broker at %s can't be used: %s".formatted(
                    String.join(",", connections.nodes()), rootMessage(e)));
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
