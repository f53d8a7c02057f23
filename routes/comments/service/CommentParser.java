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
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;

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
    /** The largest number of errors that an answer names. */
    static final int MAX_ERRORS = 100;

    // JSON is UTF-8 (RFC 8259, 8.1): a body in UTF-16, or with a byte order mark, is malformed: the charset is not guessed.
    private static final JsonFactory JSON = JsonFactory.builder()
            .disable(JsonFactory.Feature.CHARSET_DETECTION)
            // clients choose the names, and the JVM's table of strings grows with each new one
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .build();

    private static final Pattern RFC_3339 =
            Pattern.compile("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?(Z|[+-]\\d\\d:\\d\\d)", Pattern.CASE_INSENSITIVE);
    // PostgreSQL has no year 0
    private static final Instant EARLIEST = Instant.parse("0001-01-01T00:00:00Z");

    private final List<FieldError> errors = new ArrayList<>(0);
    private Map<Integer, Imported> imports = Map.of();
    private int comments;

    private CommentParser() {
    }

    /**
     * What a comment brings beside its fields, if it is imported.
     *
     * @param acceptedAt in ISO 8601, UTC; null if it brings only its id
     */
    record Imported(UUID id, String acceptedAt) {
    }

    /**
     * The comments of a body.
     *
     * @param list in the order of the body
     * @param imports what some of them bring, by their index in the list
     * @param bulk whether the body was a list, even of one
     */
    public record Comments(List<Comment> list, Map<Integer, Imported> imports, boolean bulk) {
    }

    /** Reads {@code application/json}: one comment, or an array of 1 to {@value #MAX_COMMENTS}. */
    public static Comments read(byte[] body) throws InvalidRequestException {
        requireUtf8(body);
        CommentParser reader = new CommentParser();
        Comments comments = reader.parse(body, 0, body.length, 1, parser ->
                parser.currentToken() == JsonToken.START_ARRAY
                        ? new Comments(reader.readArray(parser), reader.imports, true)
                        : new Comments(Collections.singletonList(reader.readComment(parser, "#")), reader.imports, false));
        reader.requireValid(comments);
        return comments;
    }

    /** Reads {@code application/x-ndjson}: 1 to {@value #MAX_COMMENTS} comments, one per line; blank lines are skipped. */
    public static Comments readLines(byte[] body) throws InvalidRequestException {
        requireUtf8(body);
        CommentParser reader = new CommentParser();
        List<Comment> list = new ArrayList<>();
        int line = 1;
        for (int from = 0; from < body.length; line++) {
            int to = from;
            boolean blank = true;
            while (to < body.length && body[to] != '\n') {
                blank &= body[to] >= 0 && body[to] <= ' ';
                to++;
            }
            if (!blank) {
                requireRoom(list);
                String pointer = "#/" + list.size();
                list.add(reader.parse(body, from, to - from, line, parser -> reader.readComment(parser, pointer)));
            }
            from = to + 1;
        }
        if (list.isEmpty()) {
            throw InvalidRequestException.malformed("The body is empty: send a comment on each line.");
        }
        Comments comments = new Comments(list, reader.imports, true);
        reader.requireValid(comments);
        return comments;
    }

    /** Reads the body of {@code PATCH /comments/{id}}: an object with the new content, and nothing else. */
    static String readContent(byte[] body) throws InvalidRequestException {
        requireUtf8(body);
        CommentParser reader = new CommentParser();
        String content = reader.parse(body, 0, body.length, 1, reader::readEdit);
        reader.requireValid();
        return content;
    }

    private String readEdit(JsonParser parser) throws IOException, InvalidRequestException {
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            parser.skipChildren();
            wrong("#", "must be an object with the content");
            return null;
        }
        String content = null;
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            requireRoomForErrors();
            String name = parser.currentName();
            parser.nextToken();
            if (name.equals("content")) {
                content = visible("#", name, text(parser, "#", name, content, Comment.MAX_CONTENT));
            } else {
                parser.skipChildren();
                wrong(field("#", name), "can't be changed: only the content can");
            }
        }
        require("#", "content", content);
        return content;
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
        String id = null;
        String acceptedAt = null;
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            requireRoomForErrors();
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
                case "id" -> id = string(parser, pointer, name, id);
                case "acceptedAt" -> acceptedAt = string(parser, pointer, name, acceptedAt);
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
        if (id != null || acceptedAt != null) {
            addImport(pointer, id, acceptedAt);
        }
        comments++;
        return new Comment(postId, userId, userName, content, uuid(pointer, "parentId", parentId));
    }

    private void addImport(String pointer, String id, String acceptedAt) {
        if (id == null) {
            wrong(field(pointer, "id"), "is missing: with acceptedAt it is needed, so that importing again changes nothing");
        }
        if (imports.isEmpty()) {
            imports = new HashMap<>();
        }
        imports.put(comments, new Imported(uuid(pointer, "id", id), time(pointer, "acceptedAt", acceptedAt)));
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

    private UUID uuid(String pointer, String name, String text) {
        if (text == null) {
            return null;
        }
        UUID uuid = CommentIds.parse(text);
        if (uuid == null) {
            wrong(field(pointer, name), "must be a UUID, or left out");
        }
        return uuid;
    }

    private String time(String pointer, String name, String text) {
        if (text == null) {
            return null;
        }
        try {
            if (RFC_3339.matcher(text).matches()) {
                Instant time = OffsetDateTime.parse(text).toInstant().truncatedTo(ChronoUnit.MICROS);
                if (time.isAfter(Instant.now())) {
                    wrong(field(pointer, name), "must not be in the future");
                } else if (time.isBefore(EARLIEST)) {
                    wrong(field(pointer, name), "must be in the year 1 or later");
                }
                return time.toString();
            }
        } catch (DateTimeException e) {
            // such as the 30th of February
        }
        wrong(field(pointer, name), "must be a time with its offset, such as 2026-11-22T21:38:07.681Z (RFC 3339)");
        return null;
    }

    private static String field(String pointer, String name) {
        return pointer + "/" + InvalidRequestException.shown(name).replace("~", "~0").replace("/", "~1");
    }

    private void requireRoomForErrors() throws InvalidRequestException {
        if (errors.size() >= MAX_ERRORS) {
            throw InvalidRequestException.wrongFields(errors);
        }
    }

    // The answer must not grow with the number of errors.
    private void wrong(String pointer, String detail) {
        if (errors.size() < MAX_ERRORS) {
            errors.add(new FieldError(pointer, detail));
        }
    }

    private void requireValid(Comments comments) throws InvalidRequestException {
        if (errors.isEmpty()) {
            requireDistinctIds(comments);
        }
        requireValid();
    }

    private void requireValid() throws InvalidRequestException {
        if (!errors.isEmpty()) {
            throw InvalidRequestException.wrongFields(errors);
        }
    }

    // one of them would be lost
    private void requireDistinctIds(Comments comments) {
        Map<UUID, Integer> places = new HashMap<>();
        imports.forEach((place, imported) -> {
            Integer other = places.putIfAbsent(imported.id(), place);
            if (other != null && !(imported.equals(imports.get(other)) && comments.list().get(place).equals(comments.list().get(other)))) {
                wrong("#/" + Math.max(place, other) + "/id", "is also the id of #/" + Math.min(place, other) + ", a different comment");
            }
        });
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
