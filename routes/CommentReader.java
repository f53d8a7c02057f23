package comments;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import comments.InvalidRequest.FieldError;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * Reads the body of {@code POST /comments}, and refuses whatever the contract doesn't name.
 *
 * <p>Stateless, so any number of threads may call it. Lengths are counted in Unicode characters (code points), as JSON
 * Schema counts them.
 */
public final class CommentReader {

    private static final int MAX_NAME = 200;
    private static final int MAX_CONTENT = 10_000;

    // JSON is UTF-8 (RFC 8259, 8.1): a body in UTF-16, or behind a byte order mark, is malformed, not guessed at.
    private static final JsonFactory JSON = JsonFactory.builder()
            .disable(JsonFactory.Feature.CHARSET_DETECTION)
            .build();

    private CommentReader() {
    }

    /**
     * Reads exactly one comment.
     *
     * @throws InvalidRequest 400 if the body is not one JSON text in UTF-8, 422 naming each field that is wrong
     */
    public static Comment read(byte[] body) throws InvalidRequest {
        requireUtf8(body);
        try (JsonParser parser = JSON.createParser(body)) {
            JsonToken first = parser.nextToken();
            if (first == null) {
                throw InvalidRequest.malformed("The body is empty: send one comment as a JSON object.");
            }
            if (first != JsonToken.START_OBJECT) {
                parser.skipChildren();
                requireEnd(parser);
                throw InvalidRequest.wrongFields(List.of(new FieldError("#", "must be an object, a comment")));
            }
            Fields fields = new Fields();
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                fields.read(parser);
            }
            requireEnd(parser);
            return fields.comment();
        } catch (JsonProcessingException e) {
            throw InvalidRequest.malformed("The body is not JSON: " + describe(e));
        } catch (IOException e) {
            throw new IllegalStateException("an array can't fail to be read", e);
        }
    }

    private static void requireEnd(JsonParser parser) throws IOException, InvalidRequest {
        if (parser.nextToken() != null) {
            throw InvalidRequest.malformed("The body is not JSON: text follows the comment.");
        }
    }

    private static void requireUtf8(byte[] body) throws InvalidRequest {
        for (byte b : body) {
            if (b < 0) {
                try {
                    StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body));
                    return;
                } catch (CharacterCodingException e) {
                    throw InvalidRequest.malformed("The body is not JSON: it is not UTF-8.");
                }
            }
        }
    }

    // Jackson's own message may quote the body; where it stopped reading is enough, and safe to answer.
    private static String describe(JsonProcessingException e) {
        var at = e.getLocation();
        return at == null
                ? "it can't be read."
                : "it can't be read past line %d, column %d.".formatted(at.getLineNr(), at.getColumnNr());
    }

    /** The fields read so far, and what is wrong with them. */
    private static final class Fields {
        private String postId;
        private String userId;
        private String userName;
        private String content;
        private String parentId;
        private final List<FieldError> errors = new ArrayList<>(0);

        void read(JsonParser parser) throws IOException {
            String name = parser.currentName();
            parser.nextToken();
            switch (name) {
                case "postId" -> postId = text(parser, name, postId, MAX_NAME);
                case "userId" -> userId = text(parser, name, userId, MAX_NAME);
                case "userName" -> userName = text(parser, name, userName, MAX_NAME);
                case "content" -> content = text(parser, name, content, MAX_CONTENT);
                case "parentId" -> parentId = text(parser, name, parentId, MAX_NAME);
                default -> {
                    parser.skipChildren();
                    wrong(name, "is not a field of a comment");
                }
            }
        }

        private String text(JsonParser parser, String name, String before, int most) throws IOException {
            if (before != null) {
                wrong(name, "is given twice");
            }
            if (parser.currentToken() != JsonToken.VALUE_STRING) {
                parser.skipChildren();
                wrong(name, "must be a string");
                return "";
            }
            String text = parser.getText();
            int length = length(text);
            if (length < 0) {
                wrong(name, "must not contain the character U+0000 or half of a surrogate pair");
            } else if (length < 1 || length > most) {
                wrong(name, "must be 1 to " + most + " characters long, and is " + length);
            }
            return text;
        }

        Comment comment() throws InvalidRequest {
            require("postId", postId);
            require("userId", userId);
            require("userName", userName);
            require("content", content);
            UUID parent = parent();
            if (!errors.isEmpty()) {
                throw InvalidRequest.wrongFields(errors);
            }
            return new Comment(postId, userId, userName, content, parent);
        }

        private void require(String name, String value) {
            if (value == null) {
                wrong(name, "is missing");
            }
        }

        private UUID parent() {
            if (parentId == null) {
                return null;
            }
            try {
                UUID uuid = UUID.fromString(parentId);
                // UUID.fromString also takes short groups, such as 1-1-1-1-1
                if (uuid.toString().equalsIgnoreCase(parentId)) {
                    return uuid;
                }
            } catch (IllegalArgumentException e) {
                // said below
            }
            if (errors.stream().noneMatch(error -> error.pointer().equals("#/parentId"))) {
                wrong("parentId", "must be a UUID, or left out");
            }
            return null;
        }

        private void wrong(String name, String detail) {
            errors.add(new FieldError("#/" + name.replace("~", "~0").replace("/", "~1"), detail));
        }
    }

    /** The length in code points, or -1 if PostgreSQL couldn't store the text or UTF-8 couldn't say it. */
    private static int length(String text) {
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
}
