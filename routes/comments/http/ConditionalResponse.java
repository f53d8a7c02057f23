package comments.http;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.Message;

/**
 * Answers a GET with JSON and its ETag: 200, or 304 without a body if the client has the same already. Replaces all headers.
 */
public final class ConditionalResponse {

    private static final int ETAG_BYTES = 16;

    private ConditionalResponse() {
    }

    /**
     * Writes an answer.
     *
     * @param ifNoneMatch the values of the request's header If-None-Match
     * @param next the path of the next page, or null
     */
    public static void write(Message message, byte[] json, List<String> ifNoneMatch, String next) {
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

    /** Compares as RFC 9110, 13.1.2 says: weakly, and with a * for anything. */
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
