package comments.processor;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import comments.model.Comment;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Lists comments for the pushes: of each its fields, but not its content, nor what a foreign producer added. Values are copied
 * as they are written, so a list is never larger than its messages. Leaves out imported comments, unless it is told to list them.
 * Belongs to one thread.
 */
public final class Notifications {

    /**
     * A list, which is the body of one message.
     *
     * @param comments how many comments it has
     * @param json a JSON array of them in UTF-8, without their contents
     */
    public record Notification(int comments, byte[] json) {
    }

    /** No notification is larger: RabbitMQ takes 16 MiB by default from 4.0 on. */
    static final int MAX_BYTES = 8 << 20;
    /** A longer value is left out. Our own are of 200 characters, each of 6 bytes when it is escaped. */
    static final int MAX_VALUE_BYTES = 10_000;
    /**
     * A message that is nested more deeply is refused. The parser keeps 56 bytes for each level. PostgreSQL takes 14,500 levels, and
     * 54,600 with the largest {@code max_stack_depth} that the usual stack of 8 MiB allows.
     */
    static final int MAX_DEPTH = 100_000;

    // PostgreSQL takes what is longer and deeper than Jackson's own limits allow. No other limit throws StreamConstraintsException.
    static final JsonFactory JSON = JsonFactory.builder().streamReadConstraints(StreamReadConstraints.builder()
            .maxNestingDepth(MAX_DEPTH).maxNumberLength(Integer.MAX_VALUE).maxStringLength(Integer.MAX_VALUE)
            .maxNameLength(Integer.MAX_VALUE).build()).build();

    // each listed field, as it is written before its value
    private static final Map<String, byte[]> FIELDS = new HashMap<>();
    private static final byte[] ACCEPTED_AT;

    static {
        for (String field : List.of("id", "postId", "userId", "userName", "parentId", "acceptedAt")) {
            FIELDS.put(field, ('"' + field + "\":").getBytes(StandardCharsets.US_ASCII));
        }
        ACCEPTED_AT = FIELDS.get("acceptedAt");
    }

    private final boolean imports;
    // one after the other, with a comma after each
    private byte[] entries = new byte[1 << 10];
    private int size;
    private int[] ends = new int[16];
    private int listed;
    private int comments;
    // of the message that is read
    private String acceptedAt;

    /**
     * Begins with no comment.
     *
     * @param imports whether imported comments are listed
     */
    Notifications(boolean imports) {
        this.imports = imports;
    }

    /**
     * Lists the comments of a message.
     *
     * @param body a JSON array of comments, or one bare comment, in UTF-8
     * @return when the first comment that is not imported was accepted, or null if the message does not say so in ISO 8601
     * @throws IOException if it is not one JSON value; then nothing of it is listed
     */
    Instant add(byte[] body) throws IOException {
        int sizeBefore = size;
        int listedBefore = listed;
        int commentsBefore = comments;
        acceptedAt = null;
        try (JsonParser parser = parser(body)) {
            JsonToken first = parser.nextToken();
            if (first != JsonToken.START_ARRAY) {
                addComment(parser, body);
            } else {
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    addComment(parser, body);
                }
            }
            if (first == null || parser.nextToken() != null) {
                throw new JsonParseException(parser, "not one value");
            }
        } catch (IOException e) {
            size = sizeBefore;
            listed = listedBefore;
            comments = commentsBefore;
            throw e;
        }
        try {
            return acceptedAt == null ? null : Instant.parse(acceptedAt);
        } catch (DateTimeException e) {
            return null;
        }
    }

    /**
     * Reads a message. The byte offsets of the parser are those of the message.
     *
     * @throws CharacterCodingException if it is in UTF-16 or UTF-32, which JSON allows, and PostgreSQL does not take
     */
    static JsonParser parser(byte[] body) throws IOException {
        JsonParser parser = JSON.createParser(body);
        if (parser.currentLocation().getByteOffset() < 0) {
            // Jackson decodes it first, and knows no bytes any more
            parser.close();
            throw new CharacterCodingException();
        }
        return parser;
    }

    private void addComment(JsonParser parser, byte[] body) throws IOException {
        int from = size;
        boolean imported = false;
        String accepted = null;
        append((byte) '{');
        if (parser.currentToken() == JsonToken.START_OBJECT) {
            boolean empty = true;
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                byte[] field = FIELDS.get(parser.currentName());
                JsonToken value = parser.nextToken();
                if (field == null || !value.isScalarValue()) {
                    imported |= value == JsonToken.VALUE_TRUE && parser.currentName().equals(Comment.IMPORTED);
                    parser.skipChildren();
                    continue;
                }
                int begin = (int) parser.currentTokenLocation().getByteOffset();
                parser.finishToken();
                int length = (int) parser.currentLocation().getByteOffset() - begin;
                if (length <= MAX_VALUE_BYTES) {
                    if (!empty) {
                        append((byte) ',');
                    }
                    append(field, 0, field.length);
                    append(body, begin, length);
                    empty = false;
                    if (field == ACCEPTED_AT && acceptedAt == null && !imported && value == JsonToken.VALUE_STRING) {
                        accepted = parser.getText();
                    }
                }
            }
        } else {
            parser.skipChildren();
        }
        comments++;
        if (acceptedAt == null && !imported) {
            acceptedAt = accepted;
        }
        if (imported && !imports) {
            size = from;
            return;
        }
        append((byte) '}');
        append((byte) ',');
        if (listed == ends.length) {
            ends = Arrays.copyOf(ends, 2 * listed);
        }
        ends[listed++] = size;
    }

    private void append(byte one) {
        if (size == entries.length) {
            entries = Arrays.copyOf(entries, 2 * size);
        }
        entries[size++] = one;
    }

    private void append(byte[] bytes, int from, int length) {
        if (size + length > entries.length) {
            entries = Arrays.copyOf(entries, Math.max(2 * entries.length, size + length));
        }
        System.arraycopy(bytes, from, entries, size, length);
        size += length;
    }

    /** How many comments were added, listed or not. */
    int comments() {
        return comments;
    }

    /** All lists, each no larger than a number of bytes, unless one comment alone is. */
    List<Notification> lists(int maxBytes) {
        List<Notification> lists = new ArrayList<>(1);
        int first = 0;
        int from = 0;
        for (int i = 0; i < listed; i++) {
            if (i + 1 == listed || ends[i + 1] - from + 1 > maxBytes) {
                byte[] json = new byte[ends[i] - from + 1];
                json[0] = '[';
                System.arraycopy(entries, from, json, 1, json.length - 1);
                json[json.length - 1] = ']';
                lists.add(new Notification(i + 1 - first, json));
                first = i + 1;
                from = ends[i];
            }
        }
        return lists;
    }
}
