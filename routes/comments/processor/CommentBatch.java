package comments.processor;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamWriteConstraints;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import comments.rabbitmq.Delivery;
import io.opentelemetry.api.trace.SpanContext;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Messages that are written to PostgreSQL together: their comments as one JSON array, and their deliveries.
 *
 * <p>Grows under the lock of the aggregator, then belongs to the one thread that writes it. Nothing reads what is in the
 * messages, until the database refuses it: then the batch is taken apart, {@link BatchPart part} by part, until the bad
 * comments are alone, and those are no longer of the batch.
 */
public final class CommentBatch {

    /** The exchange property that holds the batch while its route writes it. */
    public static final String PROPERTY = "batch";

    // PostgreSQL takes what is longer and deeper than Jackson's own limits allow.
    private static final JsonFactory JSON = JsonFactory.builder().streamReadConstraints(StreamReadConstraints.builder()
            .maxNestingDepth(Integer.MAX_VALUE).maxNumberLength(Integer.MAX_VALUE).maxStringLength(Integer.MAX_VALUE)
            .maxNameLength(Integer.MAX_VALUE).build()).streamWriteConstraints(StreamWriteConstraints.builder()
            .maxNestingDepth(Integer.MAX_VALUE).build()).build();

    private final List<Delivery> deliveries = new ArrayList<>();
    private final List<SpanContext> requests = new ArrayList<>(0);
    // of messages; of single comments once the batch is taken apart
    private List<byte[]> bodies = new ArrayList<>();
    private boolean apart;
    private final SortedMap<Integer, Throwable> rejected = new TreeMap<>();
    private int comments;
    private int bytes;
    private long insertStartedNanos;

    /**
     * Adds a message.
     *
     * @param delivered what it takes to acknowledge it; nothing if its channel is gone
     * @param body a JSON array of comments, or one bare comment, in UTF-8; it isn't copied
     * @param count how many comments it holds
     */
    void add(List<Delivery> delivered, byte[] body, int count) {
        deliveries.addAll(delivered);
        bodies.add(body);
        comments += count;
        bytes += body.length;
    }

    /** How many comments the messages say they hold, or how many good ones there are once the batch was taken apart. */
    public int comments() {
        return apart ? bodies.size() - rejected.size() : comments;
    }

    /** The size of all bodies. */
    public int bytes() {
        return bytes;
    }

    /** The bodies of the messages, or of the comments; not to be changed. */
    List<byte[]> bodies() {
        return bodies;
    }

    /** The messages to acknowledge when the batch is settled. */
    public List<Delivery> deliveries() {
        return deliveries;
    }

    /** The requests that are followed: see {@code Traces}. */
    List<SpanContext> requests() {
        return requests;
    }

    /** Notes that the insert begins, unless it is tried again. */
    void startInsert() {
        if (insertStartedNanos == 0) {
            insertStartedNanos = System.nanoTime();
        }
    }

    /** When the insert began, by {@link System#nanoTime}. */
    long insertStartedNanos() {
        return insertStartedNanos;
    }

    /** The batch as one part: what the insert begins with. It stays the whole when the batch is taken apart. */
    public BatchPart whole() {
        return new BatchPart(this, 0, Integer.MAX_VALUE);
    }

    /** Whether the bodies are those of single comments. */
    boolean isApart() {
        return apart;
    }

    /** Makes single comments of the messages. A message that is no JSON array stays as it is, as if it were one comment. */
    void takeApart() {
        List<byte[]> single = new ArrayList<>();
        for (byte[] body : bodies) {
            single.addAll(comments(body));
        }
        bodies = single;
        apart = true;
    }

    private static List<byte[]> comments(byte[] body) {
        List<byte[]> comments = new ArrayList<>();
        try (JsonParser parser = JSON.createParser(body)) {
            if (parser.nextToken() != JsonToken.START_ARRAY) {
                return List.of(body);
            }
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                int from = (int) parser.currentTokenLocation().getByteOffset();
                parser.skipChildren();
                parser.finishToken();
                comments.add(Arrays.copyOfRange(body, from, (int) parser.currentLocation().getByteOffset()));
            }
            return parser.nextToken() == null ? comments : List.of(body);
        } catch (IOException e) {
            return List.of(body);
        }
    }

    /** Takes a comment out of the batch, since the database will never have it. */
    void reject(int index, Throwable reason) {
        rejected.put(index, reason);
    }

    /** The comments that were taken out, by their place in the batch, and why. */
    SortedMap<Integer, Throwable> rejected() {
        return rejected;
    }

    /** The quarantine's statement has these for parameters: see {@link RejectedComments}. */
    public RejectedComments rejectedComments() {
        return new RejectedComments(this);
    }

    /**
     * Comments as one JSON array in UTF-8, put together from the bodies without reading what is in them. Those that were
     * taken out are left out.
     */
    byte[] json(int from, int to) {
        int size = 2;
        for (int i = from; i < to; i++) {
            size += bodies.get(i).length + 1;
        }
        byte[] json = new byte[size];
        int end = 0;
        json[end++] = '[';
        for (int i = from; i < to; i++) {
            byte[] body = bodies.get(i);
            int first = skipSpace(body, 0, 1);
            int last = skipSpace(body, body.length - 1, -1);
            if (!apart && first < last && body[first] == '[' && body[last] == ']') {
                first = skipSpace(body, first + 1, 1);
                last = skipSpace(body, last - 1, -1);
            }
            if (first > last || rejected.containsKey(i)) {
                continue;
            }
            if (end > 1) {
                json[end++] = ',';
            }
            System.arraycopy(body, first, json, end, last - first + 1);
            end += last - first + 1;
        }
        json[end++] = ']';
        return Arrays.copyOf(json, end);
    }

    /** All comments without their contents, as one JSON array in UTF-8: what a push needs to know. */
    public byte[] notification() throws IOException {
        ByteArrayBuilder notification = new ByteArrayBuilder(comments * 160 + 2);
        try (JsonParser parser = JSON.createParser(json(0, bodies.size()));
                JsonGenerator generator = JSON.createGenerator(notification)) {
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                if (token == JsonToken.FIELD_NAME && parser.currentName().equals("content")) {
                    parser.nextToken();
                    parser.skipChildren();
                } else {
                    generator.copyCurrentEvent(parser);
                }
            }
        }
        return notification.toByteArray();
    }

    private static int skipSpace(byte[] text, int at, int step) {
        while (at >= 0 && at < text.length && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t')) {
            at += step;
        }
        return at;
    }
}
