package comments.service;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import comments.http.InvalidRequestException;
import comments.http.InvalidRequestException.FieldError;
import comments.model.Comment;
import comments.model.CommentIds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;

/**
 * Reads the body of {@code POST /comments}, and refuses everything that the contract doesn't name.
 *
 * <p>Stateless, so any number of threads may call it. Lengths are counted in Unicode characters (code points), as JSON
 * Schema counts them. Every method throws {@link InvalidRequestException}: 400 if the body is not JSON in UTF-8, 422 that names each
 * wrong field.
 */
final class CommentParser {

    /** The largest number of comments in one request. */
    public static final int MAX_COMMENTS = 1_000;

    private static final String HOW_MANY = "must hold 1 to " + MAX_COMMENTS + " comments";
    private static final int MAX_ERRORS = 100;

    // JSON is UTF-8 (RFC 8259, 8.1): a body in UTF-16, or with a byte order mark, is malformed: the charset is not guessed.
    private static final JsonFactory JSON = JsonFactory.builder()
            .disable(JsonFactory.Feature.CHARSET_DETECTION)
            // clients choose the names, and the JVM's table of strings grows with each new one
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .build();

    private final List<FieldError> errors = new ArrayList<>(0);

    private CommentParser() {
    }

    /** The comments, in the order of the body; {@code bulk} if the body was a list, even of one. */
    public record Comments(List<Comment> list, boolean bulk) {
    }

    /** Reads {@code application/json}: one comment, or an array of 1 to {@value #MAX_COMMENTS}. */
    public static Comments read(byte[] body) throws InvalidRequestException {
        requireUtf8(body);
        CommentParser reader = new CommentParser();
        Comments comments = reader.parse(body, 0, body.length, 1, parser ->
                parser.currentToken() == JsonToken.START_ARRAY
                        ? new Comments(reader.readArray(parser), true)
                        : new Comments(Collections.singletonList(reader.readComment(parser, "#")), false));
        reader.requireValid();
        return comments;
    }

    /** Reads {@code application/x-ndjson}: 1 to {@value #MAX_COMMENTS} comments, one per line; blank lines are skipped. */
    public static Comments readLines(byte[] body) throws InvalidRequestException {
        requireUtf8(body);
        CommentParser reader = new CommentParser();
        List<Comment> comments = new ArrayList<>();
        int line = 1;
        for (int from = 0; from < body.length; line++) {
            int to = from;
            boolean blank = true;
            while (to < body.length && body[to] != '\n') {
                blank &= body[to] >= 0 && body[to] <= ' ';
                to++;
            }
            if (!blank) {
                requireRoom(comments);
                String pointer = "#/" + comments.size();
                comments.add(reader.parse(body, from, to - from, line, parser -> reader.readComment(parser, pointer)));
            }
            from = to + 1;
        }
        if (comments.isEmpty()) {
            throw InvalidRequestException.malformed("The body is empty: send a comment on each line.");
        }
        reader.requireValid();
        return new Comments(comments, true);
    }

    private interface Grammar<T> {
        T read(JsonParser parser) throws IOException, InvalidRequestException;
    }

    /** Reads one JSON text, which begins at the given line of the body. */
    private <T> T parse(byte[] body, int from, int length, int line, Grammar<T> grammar) throws InvalidRequestException {
        try (JsonParser parser = JSON.createParser(body, from, length)) {
            if (parser.nextToken() == null) {
                throw InvalidRequestException.malformed("The body is empty: send a comment as a JSON object.");
            }
            T read = grammar.read(parser);
            if (parser.nextToken() != null) {
                throw InvalidRequestException.malformed("The body is not JSON: text follows its end.");
            }
            return read;
        } catch (JsonProcessingException e) {
            throw InvalidRequestException.malformed("The body is not JSON: " + describe(e, line));
        } catch (IOException e) {
            throw new IllegalStateException("reading an array can't fail", e);
        }
    }

    private List<Comment> readArray(JsonParser parser) throws IOException, InvalidRequestException {
        List<Comment> comments = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            requireRoom(comments);
            comments.add(readComment(parser, "#/" + comments.size()));
        }
        if (comments.isEmpty()) {
            wrong("#", HOW_MANY);
        }
        return comments;
    }

    private static void requireRoom(List<Comment> comments) throws InvalidRequestException {
        if (comments.size() == MAX_COMMENTS) {
            throw InvalidRequestException.wrongFields(List.of(new FieldError("#", HOW_MANY)));
        }
    }

    /** Reads a comment, valid or not. Adds what is wrong to the errors. */
    private Comment readComment(JsonParser parser, String pointer) throws IOException, InvalidRequestException {
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            parser.skipChildren();
            wrong(pointer, "must be an object: a comment");
            return null;
        }
        String postId = null;
        String userId = null;
        String userName = null;
        String content = null;
        String parentId = null;
        boolean parentGiven = false;
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            // the answer has no room for more of them
            if (errors.size() >= MAX_ERRORS) {
                throw InvalidRequestException.wrongFields(errors);
            }
            String name = parser.currentName();
            parser.nextToken();
            switch (name) {
                case "postId" -> postId = text(parser, pointer, name, postId, Comment.MAX_NAME);
                case "userId" -> userId = text(parser, pointer, name, userId, Comment.MAX_NAME);
                case "userName" -> userName = visible(pointer, name, text(parser, pointer, name, userName, Comment.MAX_NAME));
                case "content" -> content = visible(pointer, name, text(parser, pointer, name, content, Comment.MAX_CONTENT));
                case "parentId" -> {
                    if (parentGiven) {
                        wrong(field(pointer, name), "is given twice");
                    }
                    parentGiven = true;
                    // many clients send null for what they leave out
                    parentId = parser.currentToken() == JsonToken.VALUE_NULL ? null : string(parser, pointer, name, null);
                }
                default -> {
                    parser.skipChildren();
                    wrong(field(pointer, name), "is not a field of a comment");
                }
            }
        }
        require(pointer, "postId", postId);
        require(pointer, "userId", userId);
        require(pointer, "userName", userName);
        require(pointer, "content", content);
        return new Comment(postId, userId, userName, content, uuid(pointer, parentId));
    }

    /** Reads a string. Returns "" for any other value, and adds it to the errors. */
    private String string(JsonParser parser, String pointer, String name, String before) throws IOException {
        if (before != null) {
            wrong(field(pointer, name), "is given twice");
        }
        if (parser.currentToken() != JsonToken.VALUE_STRING) {
            parser.skipChildren();
            wrong(field(pointer, name), "must be a string");
            return "";
        }
        return parser.getText();
    }

    private String text(JsonParser parser, String pointer, String name, String before, int max) throws IOException {
        int wrongBefore = errors.size();
        String text = string(parser, pointer, name, before);
        int length = Comment.length(text);
        if (length < 0) {
            wrong(field(pointer, name), "must not contain the character U+0000 or half of a surrogate pair");
        } else if ((length < 1 || length > max) && errors.size() == wrongBefore) {
            wrong(field(pointer, name), "must be 1 to " + max + " characters long, and is " + length);
        }
        return text;
    }

    private String visible(String pointer, String name, String text) {
        if (!text.isEmpty() && !Comment.isVisible(text)) {
            wrong(field(pointer, name), "must have a visible character");
        }
        return text;
    }

    private void require(String pointer, String name, String value) {
        if (value == null) {
            wrong(field(pointer, name), "is missing");
        }
    }

    private UUID uuid(String pointer, String text) {
        if (text == null) {
            return null;
        }
        UUID uuid = CommentIds.parse(text);
        if (uuid == null) {
            wrong(field(pointer, "parentId"), "must be a UUID, or left out");
        }
        return uuid;
    }

    private static String field(String pointer, String name) {
        return pointer + "/" + InvalidRequestException.shown(name).replace("~", "~0").replace("/", "~1");
    }

    // The answer must not grow with the number of errors.
    private void wrong(String pointer, String detail) {
        if (errors.size() < MAX_ERRORS) {
            errors.add(new FieldError(pointer, detail));
        }
    }

    private void requireValid() throws InvalidRequestException {
        if (!errors.isEmpty()) {
            throw InvalidRequestException.wrongFields(errors);
        }
    }

    private static void requireUtf8(byte[] body) throws InvalidRequestException {
        for (byte b : body) {
            if (b < 0) {
                try {
                    StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body));
                    return;
                } catch (CharacterCodingException e) {
                    throw InvalidRequestException.malformed("The body is not JSON: it is not UTF-8.");
                }
            }
        }
    }

    // Jackson's own message may quote the body. The position of the error is enough, and safe to return.
    private static String describe(JsonProcessingException e, int line) {
        var at = e.getLocation();
        return at == null
                ? "it can't be read."
                : "it can't be read past line %d, column %d.".formatted(line + at.getLineNr() - 1, at.getColumnNr());
    }
}
