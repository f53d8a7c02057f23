package comments.model;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.io.SerializedString;
import comments.http.InvalidRequestException;
import comments.http.RequestQuery;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.UUID;

/**
 * A comment as its author sent it, valid by the contract of {@code POST /comments}.
 *
 * @param parentId the comment that this one replies to, or null
 */
public record Comment(String postId, String userId, String userName, String content, UUID parentId) {

    /** The header of a message that says how many comments its body has. */
    public static final String COUNT_HEADER = "commentCount";

    /** The first field of an imported comment in a message, with the value true. */
    public static final String IMPORTED = "imported";

    /** The largest number of characters of a post's or a user's id, and of a user's name. */
    public static final int MAX_NAME = 200;

    /** The largest number of characters of a content. */
    public static final int MAX_CONTENT = 10_000;

    // encoded once
    private static final SerializedString ID = new SerializedString("id");
    private static final SerializedString POST_ID = new SerializedString("postId");
    private static final SerializedString USER_ID = new SerializedString("userId");
    private static final SerializedString USER_NAME = new SerializedString("userName");
    private static final SerializedString CONTENT = new SerializedString("content");
    private static final SerializedString PARENT_ID = new SerializedString("parentId");
    private static final SerializedString ACCEPTED_AT = new SerializedString("acceptedAt");
    private static final int BLANK_OF_BRAILLE = 0x2800;

    /** Writes the comment as messages carry it: with its id, and the time when it was accepted, in ISO 8601. */
    public void writeTo(JsonGenerator json, UUID id, String acceptedAt) throws IOException {
        json.writeStartObject();
        writeFieldsTo(json, id, acceptedAt);
    }

    /** Writes an imported comment, which brought its time, as messages carry it: marked, because nothing about it is new. */
    public void writeImportedTo(JsonGenerator json, UUID id, String acceptedAt) throws IOException {
        json.writeStartObject();
        json.writeBooleanField(IMPORTED, true);
        writeFieldsTo(json, id, acceptedAt);
    }

    private void writeFieldsTo(JsonGenerator json, UUID id, String acceptedAt) throws IOException {
        write(json, ID, id.toString());
        write(json, POST_ID, postId);
        write(json, USER_ID, userId);
        write(json, USER_NAME, userName);
        write(json, CONTENT, content);
        if (parentId != null) {
            write(json, PARENT_ID, parentId.toString());
        }
        write(json, ACCEPTED_AT, acceptedAt);
        json.writeEndObject();
    }

    private static void write(JsonGenerator json, SerializedString name, String value) throws IOException {
        if (value != null) {
            json.writeFieldName(name);
            json.writeString(value);
        }
    }

    /**
     * The length in Unicode characters (code points), as JSON Schema counts them; -1 if PostgreSQL can't store the text or UTF-8
     * can't encode it.
     */
    public static int length(String text) {
        int length = 0;
        for (int i = 0; i < text.length(); i++, length++) {
            char c = text.charAt(i);
            if (c == 0) {
                return -1;
            }
            if (Character.isSurrogate(c)) {
                if (!Character.isHighSurrogate(c) || ++i == text.length()
                        || !Character.isLowSurrogate(text.charAt(i))) {
                    return -1;
                }
            }
        }
        return length;
    }

    /** Whether a text has a character that is neither white space, nor a control or format character, nor drawn as nothing. */
    public static boolean isVisible(String text) {
        for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
            if (isVisible(text.codePointAt(i))) {
                return true;
            }
        }
        return false;
    }

    private static boolean isVisible(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL, Character.FORMAT, Character.SPACE_SEPARATOR, Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            default -> c < 0x34f || c != BLANK_OF_BRAILLE && !isIgnorable(c);
        };
    }

    // Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt, but for FORMAT: letters, marks, and what is not assigned.
    // Java has no name for this property.
    private static boolean isIgnorable(int c) {
        return c == 0x34f || c == 0x115f || c == 0x1160 || c == 0x17b4 || c == 0x17b5 || c >= 0x180b && c <= 0x180f || c == 0x2065
                || c == 0x3164 || c >= 0xfe00 && c <= 0xfe0f || c == 0xffa0 || c >= 0xfff0 && c <= 0xfff8 || c >= 0xe0000 && c <= 0xe0fff;
    }

    /**
     * The query parameter {@code postId}.
     *
     * @throws InvalidRequestException 400 if it is missing, given twice, or not a valid id of a post
     */
    public static String postId(RequestQuery query) throws InvalidRequestException {
        String postId = query.value("postId");
        requireId(postId);
        return postId;
    }

    /**
     * The posts that the query parameter {@code postId} names, each once, in the order of the query.
     *
     * @throws InvalidRequestException 400 if it is missing, given more often than the limit, or not a valid id of a post
     */
    public static String[] postIds(RequestQuery query, int max) throws InvalidRequestException {
        List<String> postIds = query.values("postId");
        if (postIds.size() > max) {
            throw InvalidRequestException.malformed("The query parameter postId must be given at most " + max + " times.");
        }
        for (String postId : postIds.isEmpty() ? Collections.singletonList((String) null) : postIds) {
            requireId(postId);
        }
        return postIds.stream().distinct().toArray(String[]::new);
    }

    private static void requireId(String postId) throws InvalidRequestException {
        int length = postId == null ? 0 : length(postId);
        if (length < 1 || length > MAX_NAME) {
            throw InvalidRequestException.malformed("The query parameter postId must be given, with 1 to " + MAX_NAME
                    + " characters, without U+0000 and halves of surrogate pairs.");
        }
    }

    /**
     * The id of a user in the path {@code /users/{userId}/comments}.
     *
     * @throws InvalidRequestException 400 if it is not a valid id of a user
     */
    public static String userId(RequestQuery query) throws InvalidRequestException {
        String userId = query.decodedSegment(2);
        if (userId.equals(".") || userId.equals("..")) {
            // a proxy would see another path (RFC 3986, 5.2.4)
            throw InvalidRequestException.malformed("The id of the user in the path can't be . or .., which are steps of a path.");
        }
        int length = length(userId);
        if (length < 1 || length > MAX_NAME) {
            throw InvalidRequestException.malformed("The id of the user in the path must have 1 to " + MAX_NAME
                    + " characters, without U+0000 and halves of surrogate pairs.");
        }
        return userId;
    }

    /**
     * The id of a comment in the path {@code /comments/{id}}.
     *
     * @throws InvalidRequestException 400 if it is no UUID
     */
    public static UUID id(RequestQuery query) throws InvalidRequestException {
        String id = query.segment(2);
        UUID uuid = CommentIds.parse(id);
        if (uuid == null) {
            throw InvalidRequestException.malformed(
                    "The id in the path must be a UUID, and is: " + InvalidRequestException.shown(id));
        }
        return uuid;
    }
}
