package comments.model;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;

/** Reads a notification, which is a JSON array of comments. Any number of threads may call it. */
public final class NotificationReader {

    /** Takes what a notification lists. */
    public interface Listed {

        /**
         * Takes one comment.
         *
         * @param change "edited" or "erased"; null if it is a new comment
         */
        void accept(String id, String post, String change);
    }

    private static final JsonFactory JSON = new JsonFactory();

    private NotificationReader() {
    }

    /**
     * Passes on the id and the post of each comment, and its change, in order. A field that is missing or not a string is null: messages of
     * other producers may have such fields. Reading ends at the first element that is not an object, and where the document is
     * not JSON: a message that can't be read must not hold up those after it. A document that is not an array has no comments.
     *
     * @return false if it is not JSON, or nested too deeply
     */
    public static boolean read(byte[] notification, Listed comment) {
        try (JsonParser parser = JSON.createParser(notification)) {
            if (parser.nextToken() != JsonToken.START_ARRAY) {
                return true;
            }
            while (parser.nextToken() == JsonToken.START_OBJECT) {
                String id = null;
                String post = null;
                String change = null;
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    String field = parser.currentName();
                    JsonToken value = parser.nextToken();
                    if (value == JsonToken.VALUE_STRING && field.equals("id")) {
                        id = parser.getText();
                    } else if (value == JsonToken.VALUE_STRING && field.equals("postId")) {
                        post = parser.getText();
                    } else if (value == JsonToken.VALUE_STRING && field.equals("change")) {
                        change = parser.getText();
                    } else {
                        parser.skipChildren();
                    }
                }
                comment.accept(id, post, change);
            }
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
