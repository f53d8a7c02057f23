package comments.reader;

import comments.http.InvalidRequestException;
import comments.reader.ReadQuery.Read;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;

/**
 * Answers with the JSON from the database: one comment, or a page of comments with a link to the next page, if any. The answer
 * is 200 with an ETag, or 304 without a body if the client has the same version. Replaces all headers.
 *
 * <p>Throws {@link InvalidRequestException} if the comment does not exist: a 404, which may change in a moment. Any number of
 * threads may call it.
 */
public class ReadResponse implements Processor {

    private static final int ETAG_BYTES = 16;

    @Override
    public void process(Exchange exchange) throws Exception {
        Message message = exchange.getMessage();
        Read read = exchange.getProperty(ReadQuery.PROPERTY, Read.class);
        if (message.getBody() instanceof Map<?, ?> page) {
            String cursor = (String) page.get("next");
            String next = cursor == null ? null : read.query().with(Stream.of("postId", "limit"), "before", cursor);
            write(message, (byte[]) page.get("comments"), read.ifNoneMatch(), next);
            return;
        }
        byte[] comment = message.getBody(byte[].class);
        if (comment == null) {
            throw InvalidRequestException.notFound();
        }
        write(message, comment, read.ifNoneMatch(), null);
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
        try {
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            sha256.update(json);
            if (link != null) {
                sha256.update(link.getBytes(StandardCharsets.US_ASCII));
            }
            byte[] hash = Arrays.copyOf(sha256.digest(), ETAG_BYTES);
            return '"' + Base64.getUrlEncoder().withoutPadding().encodeToString(hash) + '"';
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
