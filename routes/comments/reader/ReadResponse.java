package comments.reader;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import comments.http.InvalidRequestException;
import comments.model.Comment;
import comments.model.Comment.Times;
import comments.model.CommentIds;
import comments.postgresql.ReplicaLag;
import comments.reader.ReadQuery.Read;
import comments.reader.ReadQuery.Selection;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
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

    // else an emoji takes twelve bytes instead of four
    private static final JsonFactory JSON = new JsonFactoryBuilder()
            .enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8).build();
    private static final DateTimeFormatter MILLIS = new DateTimeFormatterBuilder().appendInstant(3).toFormatter();
    private static final byte[] NO_TIME = "0000-00-00T00:00:00.000Z".getBytes(StandardCharsets.ISO_8859_1);
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
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = JSON.createGenerator(bytes)) {
            if (read.selection() == Selection.COUNTS) {
                writeCounts(rows, read.limit(), json);
                json.flush();
                write(message, bytes.toByteArray(), read.ifNoneMatch(), null);
            } else if (read.limit() != null) {
                writePage(message, read, rows, json, bytes);
            } else if (rows.isEmpty()) {
                throw notFound(Comment.id(read.query()));
            } else if (rows.get(0).get("erased_at") != null) {
                throw InvalidRequestException.gone();
            } else {
                write(rows.get(0), json);
                json.flush();
                write(message, bytes.toByteArray(), read.ifNoneMatch(), null);
            }
        }
    }

    private InvalidRequestException notFound(UUID id) {
        Duration behind = replica == null ? null : replica.behind();
        Instant made = CommentIds.time(id);
        return behind == null || made != null && made.isBefore(Instant.now().minus(behind).minus(WRITTEN))
                ? InvalidRequestException.notFound() : InvalidRequestException.notReplicated(behind);
    }

    private void writePage(Message message, Read read, List<Map<String, Object>> rows, JsonGenerator json,
            ByteArrayOutputStream bytes) throws IOException {
        json.writeStartArray();
        int shown = 0;
        int end = json.getOutputBuffered();
        while (shown < Math.min(read.limit(), rows.size())) {
            write(rows.get(shown), json);
            int written = bytes.size() + json.getOutputBuffered();
            if (shown > 0 && written >= ReadQuery.MAX_PAGE_BYTES) {
                break;
            }
            shown++;
            end = written;
        }
        json.flush();
        byte[] page = Arrays.copyOf(bytes.toByteArray(), end + 1);
        page[end] = ']';
        String next = null;
        if (shown < rows.size()) {
            Map<String, Object> last = rows.get(shown - 1);
            next = basePath + read.query().with(Stream.of("postId", "limit"), "before",
                    new PageCursor((OffsetDateTime) last.get("accepted_at"), (UUID) last.get("id")).text());
        }
        write(message, page, read.ifNoneMatch(), next);
    }

    private static void writeCounts(List<Map<String, Object>> rows, int limit, JsonGenerator json) throws IOException {
        json.writeStartArray();
        for (Map<String, Object> row : rows) {
            long count = (Long) row.get("comments");
            json.writeStartObject();
            json.writeStringField("postId", (String) row.get("post_id"));
            json.writeNumberField("count", Math.min(count, limit));
            if (count > limit) {
                json.writeBooleanField("more", true);
            }
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void write(Map<String, Object> row, JsonGenerator json) throws IOException {
        new Comment((String) row.get("post_id"), (String) row.get("user_id"), (String) row.get("user_name"),
                (String) row.get("content"), (UUID) row.get("parent_id"))
                .writeTo(json, (UUID) row.get("id"), new Times(time(row.get("accepted_at")), time(row.get("created_at")),
                        time(row.get("edited_at")), time(row.get("erased_at"))));
    }

    // in ISO 8601, or null if there is none or it is infinite
    private static String time(Object value) {
        if (value == null) {
            return null;
        }
        OffsetDateTime time = (OffsetDateTime) value;
        return time.equals(OffsetDateTime.MAX) || time.equals(OffsetDateTime.MIN) ? null
                : time.getYear() < 0 || time.getYear() > 9_999 ? MILLIS.format(time) : text(time);
    }

    // what the formatter writes, in a tenth of its time
    private static String text(OffsetDateTime time) {
        byte[] text = NO_TIME.clone();
        write(time.getYear(), text, 3);
        write(time.getMonthValue(), text, 6);
        write(time.getDayOfMonth(), text, 9);
        write(time.getHour(), text, 12);
        write(time.getMinute(), text, 15);
        write(time.getSecond(), text, 18);
        write(time.getNano() / 1_000_000, text, 22);
        return new String(text, StandardCharsets.ISO_8859_1);
    }

    private static void write(int number, byte[] text, int lastDigit) {
        int rest = number;
        for (int i = lastDigit; rest > 0; i--) {
            text[i] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
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
