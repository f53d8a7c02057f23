import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import comments.rabbitmq.RabbitConnectionFactory;
import java.util.Map;
import java.util.TreeMap;
import org.apache.camel.builder.RouteBuilder;

/**
 * A second consumer of notifications, beside the notification-service: it logs how many comments each post got. It has a
 * queue of its own, so neither takes messages from the other, and either may be down.
 *
 * <p>Run it with {@code NOTIFICATIONS_PUSH_ENDPOINT=direct:push-and-copy}: a notification is settled once it is pushed and
 * its copy is confirmed.
 */
public class CountPosts extends RouteBuilder {

    private static final ObjectMapper JSON = new ObjectMapper();

    @Override
    public void configure() {
        getContext().getRegistry().bind("postCounts", connections());

        // a failure goes back to notification-service, which tries the push again
        errorHandler(noErrorHandler());

        from("direct:push-and-copy").routeId("copy-notifications")
                .routeDescription("Pushes a notification, and puts a copy into the queue post-counts")
                .to("direct:simulated-push")
                .to("spring-rabbitmq:default?routingKey=post-counts&connectionFactory=#postCounts&disableReplyTo=true"
                        + "&confirm=enabled&exchangePattern=InOnly");

        from("spring-rabbitmq:default?queues=post-counts&connectionFactory=#postCounts&autoDeclare=false")
                .routeId("count-posts")
                .routeDescription("Counts the comments of each post")
                .process(exchange -> exchange.getMessage().setBody(count(exchange.getMessage().getBody(byte[].class))))
                .log("New comments by post: ${body}");
    }

    private RabbitConnectionFactory connections() {
        RabbitConnectionFactory connections = new RabbitConnectionFactory();
        connections.setUri(getContext().resolvePropertyPlaceholders("{{RABBITMQ_URI}}"));
        connections.setName("post counts");
        connections.setQueue("post-counts");
        connections.setMandatory(true);
        return connections;
    }

    static Map<String, Integer> count(byte[] notification) throws java.io.IOException {
        Map<String, Integer> counts = new TreeMap<>();
        for (JsonNode comment : JSON.readTree(notification)) {
            counts.merge(comment.path("postId").asText(), 1, Integer::sum);
        }
        return counts;
    }
}
