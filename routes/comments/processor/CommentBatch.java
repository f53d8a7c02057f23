package comments.processor;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import comments.postgresql.DataError;
import comments.processor.Notifications.Notification;
import comments.rabbitmq.Delivery;
import io.opentelemetry.api.trace.SpanContext;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Messages that are written to PostgreSQL together: their comments as one JSON array, and their deliveries.
 *
 * <p>Grows under the lock of the aggregator, then belongs to the one thread that writes it. That thread reads the messages
 * once, for their notifications. A message that is not JSON by itself is then rejected: joined with others, it could be JSON,
 * and good comments between two such messages a part of a string or an object in it.
 *
 * <p>When the database refuses what is in the messages, the batch is taken apart, {@link BatchPart part} by part, until the
 * bad comments are alone, and those are no longer of the batch.
 */
public final class CommentBatch {

    /** The exchange property that holds the batch while its route writes it. */
    public static final String PROPERTY = "batch";

    /** Why a comment was taken out. The exception has a backtrace, which is larger than most comments. */
    private record Rejection(String sqlState, String reason) {
    }

    // what PostgreSQL says of a text that is no JSON, and of one that is nested too deeply
    private static final String INVALID_TEXT_REPRESENTATION = "22P02";
    private static final String STATEMENT_TOO_COMPLEX = "54001";

    private final boolean pushImports;
    private final List<Delivery> deliveries = new ArrayList<>();
    private final List<SpanContext> requests = new ArrayList<>(0);
    // of messages; of single comments once the batch is taken apart
    private List<byte[]> bodies = new ArrayList<>();
    private boolean apart;
    private SortedMap<Integer, Rejection> rejected = new TreeMap<>();
    // by the message; by its first comment once the batch is taken apart
    private Map<Integer, Instant> acceptedAt = new HashMap<>();
    // of the notification, once the batch is taken apart
    private final BitSet leftOut = new BitSet();
    private int comments;
    private int bytes;
    private Notifications read;
    private long insertStartedNanos;

    /**
     * Begins with no message.
     *
     * @param pushImports whether notifications list imported comments
     */
    CommentBatch(boolean pushImports) {
        this.pushImports = pushImports;
    }

    /**
     * Adds a message.
     *
     * @param delivered what it takes to acknowledge it; nothing if its channel is gone
     * @param body a JSON array of comments, or one bare comment, in UTF-8; it isn't copied
     * @param count how many comments it holds
     */
    void add(List<Delivery> delivered, byte[] body, int count) {
        // an Error between the two must not leave a delivery without its body, which would be acknowledged
        bodies.add(body);
        deliveries.addAll(delivered);
        comments += count;
        bytes += body.length;
    }

    /** How many comments the messages say they hold; once they were read, how many good ones there are. */
    public int comments() {
        return good(0, bodies.size());
    }

    /**
     * How many good comments are among some bodies. Before the batch is taken apart, its only part is the whole. Camel would not know which
     * method {@code body.comments} means, if this had that name, too.
     */
    int good(int from, int to) {
        return apart ? to - from - rejected.subMap(from, to).size() : comments;
    }

    /** The size of all bodies. */
    public int bytes() {
        return bytes;
    }

    /** The bodies of the messages, or of the comments; not to be changed. */
    List<byte[]> bodies() {
        return bodies;
    }

    /**
     * When the messages were accepted, each by its first comment that is not imported. Leaves out messages that do not say so, and
     * those whose first comment was taken out.
     */
    Collection<Instant> acceptedAt() {
        return acceptedAt.values();
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

    /**
     * The batch as one part: what the insert begins with. It stays the whole when the batch is taken apart. Rejects what is
     * not JSON.
     */
    public BatchPart whole() {
        if (read == null) {
            Notifications all = new Notifications(pushImports);
            for (int i = 0; i < bodies.size(); i++) {
                try {
                    Instant first = all.add(bodies.get(i));
                    if (first != null) {
                        acceptedAt.put(i, first);
                    }
                } catch (IOException e) {
                    reject(i, isUtf8(bodies.get(i)) ? e : new CharacterCodingException());
                }
            }
            comments = all.comments();
            // after an Error, the next attempt reads all of them again
            read = all;
        }
        return new BatchPart(this, 0, Integer.MAX_VALUE);
    }

    private static boolean isUtf8(byte[] body) {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body));
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }

    /** Whether the bodies are those of single comments. */
    boolean isApart() {
        return apart;
    }

    /** Makes single comments of the messages. A message that is no JSON array stays as it is, as if it were one comment. */
    void takeApart() {
        List<byte[]> single = new ArrayList<>();
        SortedMap<Integer, Rejection> rejectedMessages = new TreeMap<>();
        Map<Integer, Instant> acceptedMessages = new HashMap<>();
        for (int i = 0; i < bodies.size(); i++) {
            if (rejected.containsKey(i)) {
                rejectedMessages.put(single.size(), rejected.get(i));
                single.add(bodies.get(i));
                continue;
            }
            if (acceptedAt.containsKey(i)) {
                acceptedMessages.put(single.size(), acceptedAt.get(i));
            }
            single.addAll(comments(bodies.get(i)));
        }
        // after an Error, the next attempt takes it apart from the beginning
        bodies = single;
        rejected = rejectedMessages;
        acceptedAt = acceptedMessages;
        apart = true;
    }

    private static List<byte[]> comments(byte[] body) {
        List<byte[]> comments = new ArrayList<>();
        try (JsonParser parser = Notifications.parser(body)) {
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
        rejected.put(index, rejection(reason));
        acceptedAt.remove(index);
    }

    private static Rejection rejection(Throwable e) {
        if (e instanceof StreamConstraintsException) {
            return new Rejection(STATEMENT_TOO_COMPLEX, "nested too deeply");
        }
        if (e instanceof JsonProcessingException) {
            return new Rejection(INVALID_TEXT_REPRESENTATION, "not JSON");
        }
        // PostgreSQL has no text with U+0000 in it, not even in a complaint about one
        String reason = e instanceof SQLException ? String.valueOf(e.getMessage()).replace("\u0000", "") : "not UTF-8";
        return new Rejection(DataError.sqlState(e), reason);
    }

    /** How many comments were taken out. */
    public int rejected() {
        return rejected.size();
    }

    /** Leaves comments out of the notification: those at some places among the good ones, from 1. */
    void leaveOut(int from, int to, BitSet places) {
        int place = 0;
        for (int i = from; i < to; i++) {
            if (!rejected.containsKey(i) && places.get(++place)) {
                leftOut.set(i);
            }
        }
    }

    /** Forgets what a former attempt left out. */
    void leaveOutNone(int from, int to) {
        leftOut.clear(from, to);
    }

    /**
     * The parameters of the statement in quarantine-comments.sql: what was taken out, each with the reason. The bodies are in
     * Base64, since they may be anything but JSON in UTF-8.
     */
    public Map<String, Object> quarantineParameters() throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = Notifications.JSON.createGenerator(text)) {
            json.writeStartArray();
            for (Map.Entry<Integer, Rejection> each : rejected.entrySet()) {
                json.writeStartObject();
                json.writeFieldName("body");
                json.writeBinary(bodies.get(each.getKey()));
                json.writeStringField("sqlstate", each.getValue().sqlState());
                json.writeStringField("reason", each.getValue().reason());
                json.writeEndObject();
            }
            json.writeEndArray();
        }
        return Map.of("rejected", text.toString());
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

    /**
     * The notifications of all good comments that are pushed and not left out, once {@link #whole} is written; none is larger than
     * {@link Notifications#MAX_BYTES}.
     */
    public List<Notification> notifications() throws IOException {
        Notifications good = read;
        if (apart) {
            good = new Notifications(pushImports);
            for (int i = 0; i < bodies.size(); i++) {
                if (!rejected.containsKey(i) && !leftOut.get(i)) {
                    good.add(bodies.get(i));
                }
            }
        }
        return good.lists(Notifications.MAX_BYTES);
    }

    private static int skipSpace(byte[] text, int at, int step) {
        while (at >= 0 && at < text.length && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t')) {
            at += step;
        }
        return at;
    }
}
