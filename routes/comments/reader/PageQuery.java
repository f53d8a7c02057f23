package comments.reader;

import comments.http.Callers;
import java.util.Map;
import java.util.Set;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.component.jdbc.JdbcConstants;

/**
 * Makes of {@code GET /comments?postId=…} and {@code GET /comments/{id}/replies} the parameters of select-comments-of-post.sql
 * and select-replies.sql: whose comments, where the page begins, and how many comments and bytes of text it may have. All
 * headers of the request are removed.
 *
 * <p>Throws {@code InvalidRequestException} for what the contract refuses.
 */
public class PageQuery implements Processor {

    // the whole page is held in memory while it is sent
    private static final int MOST_BYTES = 256 << 10;

    private Callers callers = new Callers();
    private boolean replies;

    /** Who may read. By default everybody. */
    public void setCallers(Callers callers) {
        this.callers = callers;
    }

    /** Whether they are the replies to a comment, whose id is in the path, or those of a post, which the query names. */
    public void setReplies(boolean replies) {
        this.replies = replies;
    }

    @Override
    public void process(Exchange exchange) throws Exception {
        Message message = exchange.getMessage();
        callers.identify(message);
        ReadRequest request = ReadRequest.of(message, replies ? Set.of("limit", "before") : Set.of("postId", "limit", "before"));
        PageCursor before = request.before();
        Map<String, Object> parameters = Map.of(
                replies ? "parentId" : "postId", replies ? request.id() : request.postId(),
                "acceptedAt", before.acceptedAt(), "id", before.id(), "limit", request.limit(), "bytes", MOST_BYTES);
        exchange.setProperty(ReadRequest.PROPERTY, request);
        message.removeHeaders("*");
        message.setHeader(JdbcConstants.JDBC_PARAMETERS, parameters);
    }
}
