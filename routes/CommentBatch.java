package comments;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Messages that are written to PostgreSQL together: their comments as one JSON array, and their deliveries.
 *
 * <p>Grows under the lock of the aggregator, then belongs to the one thread that writes it.
 */
public final class CommentBatch {

    /** The exchange property that holds the batch while its route writes it. */
    public static final String PROPERTY = "batch";

    private static final JsonFactory JSON = new JsonFactory();

    private final List<byte[]> bodies = new ArrayList<>();
    private final List<Delivery> deliveries = new ArrayList<>();
    private int comments;
    private int bytes;
    private long insertStartedNanos;

    /**
     * Adds a message.
     *
     * @param body a JSON array of comments, or one bare comment, in UTF-8; it isn't copied
     * @param count how many comments it holds
     */
    void add(Delivery delivery, byte[] body, int count) {
        deliveries.add(delivery);
        bodies.add(body);
        comments += count;
        bytes += body.length;
    }

    /** How many comments the messages say they hold. */
    public int comments() {
        return comments;
    }

    /** The size of all bodies. */
    public int bytes() {
        return bytes;
    }

    /** The bodies of the messages; not to be changed. */
    List<byte[]> bodies() {
        return bodies;
    }

    /** When the insert began, by {@link System#nanoTime}. */
    long insertStartedNanos() {
        return insertStartedNanos;
    }

    /** The messages to acknowledge when the batch is settled. */
    public List<Delivery> deliveries() {
        return deliveries;
    }

    /** All comments as one JSON array in UTF-8, put together from the bodies without reading what is in them. */
    public byte[] json() {
        byte[] json = new byte[bytes + bodies.size() + 2];
        int end = 0;
        json[end++] = '[';
        for (byte[] body : bodies) {
            int from = skipSpace(body, 0, 1);
            int to = skipSpace(body, body.length - 1, -1);
            if (from < to && body[from] == '[' && body[to] == ']') {
                from = skipSpace(body, from + 1, 1);
                to = skipSpace(body, to - 1, -1);
            }
            if (from > to) {
                continue;
            }
            if (end > 1) {
                json[end++] = ',';
            }
            System.arraycopy(body, from, json, end, to - from + 1);
            end += to - from + 1;
        }
        json[end++] = ']';
        return java.util.Arrays.copyOf(json, end);
    }

    /** All comments without their contents, as one JSON array in UTF-8: what a push needs to know. */
    public byte[] notification() throws IOException {
        ByteArrayBuilder bytes = new ByteArrayBuilder(comments * 160 + 2);
        try (JsonParser parser = JSON.createParser(json()); JsonGenerator notification = JSON.createGenerator(bytes)) {
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                if (token == JsonToken.FIELD_NAME && parser.currentName().equals("content")) {
                    parser.nextToken();
                    parser.skipChildren();
                } else {
                    notification.copyCurrentEvent(parser);
                }
            }
        }
        return bytes.toByteArray();
    }

    /** The parameters of the statement in insert-comments.sql. Asking for them starts the time of the insert. */
    public Map<String, Object> parameters() {
        insertStartedNanos = System.nanoTime();
        return Map.of("comments", new String(json(), StandardCharsets.UTF_8));
    }

    private static int skipSpace(byte[] text, int at, int step) {
        while (at >= 0 && at < text.length && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t')) {
            at += step;
        }
        return at;
    }
}
