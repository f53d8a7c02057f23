package comments.reader;

import comments.http.InvalidRequestException;
import comments.model.Comment;
import comments.model.CommentIds;
import comments.postgresql.ReplicaLag;
import comments.reader.ReadQuery.Read;
import comments.reader.ReadQuery.Selection;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;

/**
 * Writes the rows of the database as JSON: one comment, the numbers of comments of posts, or a page of comments with a link to the next
 * page, if any. A page ends at
 * its limit of comments or at {@link ReadQuery#MAX_PAGE_BYTES}, whichever is reached first, but has at least one comment. The answer
 * is 200 with an ETag, or 304 without a body if the client has the same version. Replaces all headers.
 *
 * <p>Throws {@link InvalidRequestException} if the comment does not exist: a 404, which may change in a moment; or a 410 if it was erased.
 * Any number of threads may call it.
 */
public class ReadResponse implements Processor {

    private static final byte[] POST_ID = JsonBytes.ascii("{\"postId\":");
    private static final byte[] COUNT = JsonBytes.ascii(",\"count\":");
    private static final byte[] MORE = JsonBytes.ascii(",\"more\":true");
    // of most comments
    private static final int COMMENT_BYTES = 512;
    // of most pages; a longer one grows
    private static final int COMMENTS = 64;
    private static final ThreadLocal<MessageDigest> SHA256 = ThreadLocal.withInitial(ReadResponse::sha256);
    private static final int ETAG_BYTES = 16;

    // how much longer a comment can take that is no fault of a replica
    private static final Duration WRITTEN = Duration.ofMinutes(1);

    private String basePath = "";
    private ReplicaLag replica;

    /** The path below which a proxy serves the API, such as {@code /c}. Empty by default. */
    public void setBasePath(String basePath) {
        this.basePath = basePath;
    }

    /** How far the replica is behind, if one is read from. By default none is. */
    public void setReplica(ReplicaLag replica) {
        this.replica = replica;
    }

    @Override
    @SuppressWarnings("unchecked")
    public void process(Exchange exchange) throws Exception {
        Message message = exchange.getMessage();
        Read read = exchange.getProperty(ReadQuery.PROPERTY, Read.class);
        List<Map<String, Object>> rows = message.getBody(List.class);
        if (read.selection() == Selection.COUNTS) {
            write(message, counts(rows, read.limit()), read.ifNoneMatch(), null);
        } else if (read.limit() != null) {
            writePage(message, read, rows);
        } else if (rows.isEmpty()) {
            throw notFound(Comment.id(read.query()));
        } else if (rows.get(0).get("erased_at") != null) {
            throw InvalidRequestException.gone();
        } else {
            JsonBytes json = new JsonBytes(COMMENT_BYTES);
            CommentJson.write(rows.get(0), json);
            write(message, json.toByteArray(), read.ifNoneMatch(), null);
        }
    }

    private InvalidRequestException notFound(UUID id) {
        Duration behind = replica == null ? null : replica.behind();
        Instant made = CommentIds.time(id);
        return behind == null || made != null && made.isBefore(Instant.now().minus(behind).minus(WRITTEN))
                ? InvalidRequestException.notFound() : InvalidRequestException.notReplicated(behind);
    }

    private void writePage(Message message, Read read, List<Map<String, Object>> rows) {
        JsonBytes json = new JsonBytes(COMMENT_BYTES * Math.min(COMMENTS, rows.size() + 1)).raw('[');
        int shown = 0;
        while (shown < Math.min(read.limit(), rows.size())) {
            int end = json.length();
            if (shown > 0) {
                json.raw(',');
            }
            CommentJson.write(rows.get(shown), json);
            if (shown > 0 && json.length() >= ReadQuery.MAX_PAGE_BYTES) {
                json.cut(end);
                break;
            }
            shown++;
        }
        String next = null;
        if (shown < rows.size()) {
            Map<String, Object> last = rows.get(shown - 1);
            next = basePath + read.query().with(Stream.of("postId", "limit"), "before",
                    new PageCursor((OffsetDateTime) last.get("accepted_at"), (UUID) last.get("id")).text());
        }
        write(message, json.raw(']').toByteArray(), read.ifNoneMatch(), next);
    }

    private static byte[] counts(List<Map<String, Object>> rows, int limit) {
        JsonBytes json = new JsonBytes(COMMENT_BYTES).raw('[');
        for (Map<String, Object> row : rows) {
            long count = (Long) row.get("comments");
            if (json.length() > 1) {
                json.raw(',');
            }
            json.raw(POST_ID).string((String) row.get("post_id")).raw(COUNT).number(Math.min(count, limit));
            if (count > limit) {
                json.raw(MORE);
            }
            json.raw('}');
        }
        return json.raw(']').toByteArray();
    }

    private static void write(Message message, byte[] json, List<String> ifNoneMatch, String next) {
        String link = next == null ? null : "<" + next + ">; rel=\"next\"";
        String etag = etag(json, link);
        message.removeHeaders("*");
        message.setHeader("ETag", etag);
        if (link != null) {
            message.setHeader("Link", link);
        }
        if (matches(ifNoneMatch, etag)) {
            message.setHeader(Exchange.HTTP_RESPONSE_CODE, 304);
            message.setBody(null);
        } else {
            message.setHeader(Exchange.HTTP_RESPONSE_CODE, 200);
            message.setHeader(Exchange.CONTENT_TYPE, "application/json");
            message.setBody(json);
        }
    }

    /** Compares as in RFC 9110, 13.1.2: weakly; * matches anything. */
    private static boolean matches(List<String> ifNoneMatch, String etag) {
        return ifNoneMatch.stream().flatMap(value -> Arrays.stream(value.split(","))).map(String::strip)
                .anyMatch(tag -> tag.equals("*") || tag.equals(etag) || tag.equals("W/" + etag));
    }

    private static String etag(byte[] json, String link) {
        MessageDigest sha256 = SHA256.get();
        sha256.update(json);
        if (link != null) {
            sha256.update(link.getBytes(StandardCharsets.US_ASCII));
        }
        byte[] hash = Arrays.copyOf(sha256.digest(), ETAG_BYTES);
        return '"' + Base64.getUrlEncoder().withoutPadding().encodeToString(hash) + '"';
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
