package comments;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads a notification, a JSON array of comments, and leaves in exchange properties how many comments of how many posts it
 * is about. Logs one line per comment at debug.
 *
 * <p>Any number of threads may call it. Throws what Jackson throws if the body is not such an array.
 */
public class DescribeNotification implements Processor {

    /** The exchange property that holds the number of comments. */
    public static final String COMMENTS = "comments";
    /** The exchange property that holds the number of posts that they are on. */
    public static final String POSTS = "posts";

    private static final Logger LOG = LoggerFactory.getLogger(DescribeNotification.class);
    private static final JsonFactory JSON = new JsonFactory();

    @Override
    public void process(Exchange exchange) throws IOException {
        int comments = 0;
        Set<String> posts = new HashSet<>();
        try (JsonParser parser = JSON.createParser(exchange.getMessage().getBody(byte[].class))) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.START_OBJECT) {
                String id = null;
                String post = null;
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    String field = parser.currentName();
                    JsonToken value = parser.nextToken();
                    if (value == JsonToken.VALUE_STRING && field.equals("id")) {
                        id = parser.getText();
                    } else if (value == JsonToken.VALUE_STRING && field.equals("postId")) {
                        post = parser.getText();
                    } else {
                        parser.skipChildren();
                    }
                }
                LOG.debug("Pushing comment {} of post {}", id, post);
                posts.add(post);
                comments++;
            }
        }
        exchange.setProperty(COMMENTS, comments);
        exchange.setProperty(POSTS, posts.size());
    }
}
