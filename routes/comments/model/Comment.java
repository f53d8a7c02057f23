package comments.model;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.UUID;

/**
 * A comment as its author sent it, valid by the contract of {@code POST /comments}.
 *
 * @param parentId the comment that this one replies to, or null
 */
public record Comment(String postId, String userId, String userName, String content, UUID parentId) {

    /** The header of a message that says how many comments its body has. */
    public static final String COUNT_HEADER = "commentCount";

    /** Writes the comment as messages carry it: with the id it was given, and the time it was accepted, in ISO 8601. */
    public void writeTo(JsonGenerator json, UUID id, String acceptedAt) throws IOException {
        json.writeStartObject();
        json.writeStringField("id", id.toString());
        json.writeStringField("postId", postId);
        json.writeStringField("userId", userId);
        json.writeStringField("userName", userName);
        json.writeStringField("content", content);
        if (parentId != null) {
            json.writeStringField("parentId", parentId.toString());
        }
        json.writeStringField("acceptedAt", acceptedAt);
        json.writeEndObject();
    }
}
