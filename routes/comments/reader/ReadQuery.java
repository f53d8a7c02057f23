package comments.reader;

import comments.http.ApiKeys;
import comments.http.InvalidRequestException;
import comments.http.RequestHeaders;
import comments.http.RequestQuery;
import comments.model.Comment;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.component.jdbc.JdbcConstants;

/**
 * Makes the parameters of the statement of a GET: of select-comment.sql for {@code /comments/{id}}, of
 * select-comments-of-post.sql or select-large-comments-of-post.sql for {@code /comments?postId=…}, of select-replies.sql or
 * select-large-replies.sql for {@code /comments/{id}/replies}, of
 * select-counts.sql for {@code /comments/count?postId=…&postId=…}. The exchange property {@link #PROPERTY} has what {@link ReadResponse} needs. All headers of the request are removed.
 *
 * <p>Throws {@link InvalidRequestException} if the request breaks the contract. Any number of threads may call it.
 */
public class ReadQuery implements Processor {

    /** What a GET selects. */
    public enum Selection {
        /** One comment. */
        COMMENT(Set.of()),
        /** A page of the comments of a post. */
        POST(Set.of("postId", "limit", "before")),
        /** A page of the replies to a comment. */
        REPLIES(Set.of("limit", "before")),
        /** The numbers of the comments of posts. */
        COUNTS(Set.of("postId"));

        private final Set<String> parameters;

        Selection(Set<String> parameters) {
            this.parameters = parameters;
        }
    }

    /**
     * The parts of the request that its response needs.
     *
     * @param limit the largest number of comments of a page, or of a post that are counted; null if one comment is asked for
     */
    record Read(Selection selection, RequestQuery query, List<String> ifNoneMatch, Integer limit) {
    }

    /** The exchange property that holds the {@link Read}. */
    static final String PROPERTY = "read";
    /** The largest size of a page with more than one comment, in bytes: it is held in memory while it is sent. */
    static final int MAX_PAGE_BYTES = 256 << 10;
    /** The exchange property that says whether a page is short: see {@link #MIN_SHARE}. */
    static final String SHORT_PAGE = "shortPage";

    // The texts of a short page may have this many bytes each. It is more than most comments have, so that the page is mostly read by a
    // plain statement, which leaves out larger texts. A longer page could be too large in memory.
    private static final int MIN_SHARE = 4 << 10;
    private static final int DEFAULT_LIMIT = 50;
    private static final int MAX_LIMIT = 1_000;
    private static final int MAX_POSTS = 100;

    private ApiKeys apiKeys = new ApiKeys();
    private Selection selection = Selection.COMMENT;

    /** The API keys with which a client may read. By default none is needed. */
    public void setApiKeys(ApiKeys apiKeys) {
        this.apiKeys = apiKeys;
    }

    /** What the GET selects. */
    public void setSelection(Selection selection) {
        this.selection = selection;
    }

    @Override
    public void process(Exchange exchange) throws Exception {
        Message message = exchange.getMessage();
        apiKeys.require(message);
        RequestQuery query = RequestQuery.of(message, selection.parameters);
        Map<String, Object> parameters = switch (selection) {
            case COMMENT -> Map.of("id", Comment.id(query));
            case POST -> page(query, "postId", Comment.postId(query));
            case REPLIES -> page(query, "parentId", Comment.id(query));
            case COUNTS -> Map.of("postIds", Comment.postIds(query, MAX_POSTS), "limit", MAX_LIMIT);
        };
        exchange.setProperty(PROPERTY, new Read(selection, query, RequestHeaders.of(message, "If-None-Match"),
                (Integer) parameters.get("limit")));
        exchange.setProperty(SHORT_PAGE, parameters.get("share") instanceof Integer share && share >= MIN_SHARE);
        message.removeHeaders("*");
        message.setHeader(JdbcConstants.JDBC_PARAMETERS, parameters);
    }

    private static Map<String, Object> page(RequestQuery query, String name, Object value) throws InvalidRequestException {
        PageCursor before = before(query);
        int limit = limit(query);
        return Map.of(name, value, "acceptedAt", before.acceptedAt(), "id", before.id(), "limit", limit, "bytes", MAX_PAGE_BYTES,
                "share", MAX_PAGE_BYTES / limit);
    }

    private static int limit(RequestQuery query) throws InvalidRequestException {
        String limit = query.value("limit");
        if (limit == null) {
            return DEFAULT_LIMIT;
        }
        if (limit.matches("[0-9]{1,4}")) {
            int number = Integer.parseInt(limit);
            if (number >= 1 && number <= MAX_LIMIT) {
                return number;
            }
        }
        throw InvalidRequestException.malformed(
                "The query parameter limit must be a whole number from 1 to " + MAX_LIMIT + ".");
    }

    private static PageCursor before(RequestQuery query) throws InvalidRequestException {
        String before = query.value("before");
        if (before == null) {
            return PageCursor.START;
        }
        try {
            return PageCursor.parse(before);
        } catch (IllegalArgumentException e) {
            throw InvalidRequestException.malformed("The query parameter before must come from the Link to the next page.");
        }
    }
}
