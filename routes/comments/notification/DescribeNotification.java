package comments.notification;

import comments.model.NotificationReader;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads a notification, a JSON array of comments, and sets exchange properties: the number of its comments and of their posts.
 * Logs one line per comment at debug.
 *
 * <p>Any number of threads may call it. A notification that is not JSON is pushed, too: it must not hold up those after it.
 */
public class DescribeNotification implements Processor {

    /** The exchange property that holds the number of comments. */
    public static final String COMMENTS = "comments";
    /** The exchange property that holds the number of their posts. */
    public static final String POSTS = "posts";

    private static final Logger LOG = LoggerFactory.getLogger(DescribeNotification.class);

    @Override
    public void process(Exchange exchange) {
        List<String> posts = new ArrayList<>();
        boolean read = NotificationReader.read(exchange.getMessage().getBody(byte[].class), (id, post, change) -> {
            LOG.debug("Pushing comment {} of post {}", id, post);
            posts.add(post);
        });
        if (!read) {
            LOG.warn("A notification of another producer is not JSON. It is pushed as it is");
        }
        exchange.setProperty(COMMENTS, posts.size());
        exchange.setProperty(POSTS, new HashSet<>(posts).size());
    }
}
