package comments.reader;

import java.time.OffsetDateTime;
import java.util.Map;
import java.util.UUID;

/** Writes a row of the table of comments as JSON. Any number of threads may call it. */
final class CommentJson {

    private static final byte[] ID = JsonBytes.ascii("{\"id\":");
    private static final byte[] POST_ID = JsonBytes.ascii(",\"postId\":");
    private static final byte[] USER_ID = JsonBytes.ascii(",\"userId\":");
    private static final byte[] USER_NAME = JsonBytes.ascii(",\"userName\":");
    private static final byte[] CONTENT = JsonBytes.ascii(",\"content\":");
    private static final byte[] PARENT_ID = JsonBytes.ascii(",\"parentId\":");
    private static final byte[] ACCEPTED_AT = JsonBytes.ascii(",\"acceptedAt\":");
    private static final byte[] CREATED_AT = JsonBytes.ascii(",\"createdAt\":");
    private static final byte[] EDITED_AT = JsonBytes.ascii(",\"editedAt\":");
    private static final byte[] ERASED_AT = JsonBytes.ascii(",\"erasedAt\":");

    private CommentJson() {
    }

    /**
     * Appends a comment as clients read it. An erased comment has neither a content nor an author. What is null, or an infinite time, is
     * left out.
     */
    static void write(Map<String, Object> row, JsonBytes json) {
        OffsetDateTime erased = finite(row, "erased_at");
        json.raw(ID).id((UUID) row.get("id"));
        text(POST_ID, row.get("post_id"), json);
        if (erased == null) {
            text(USER_ID, row.get("user_id"), json);
            text(USER_NAME, row.get("user_name"), json);
            text(CONTENT, row.get("content"), json);
        }
        if (row.get("parent_id") instanceof UUID parent) {
            json.raw(PARENT_ID).id(parent);
        }
        time(ACCEPTED_AT, finite(row, "accepted_at"), json);
        time(CREATED_AT, finite(row, "created_at"), json);
        if (erased == null) {
            time(EDITED_AT, finite(row, "edited_at"), json);
        } else {
            time(ERASED_AT, erased, json);
        }
        json.raw('}');
    }

    private static void text(byte[] name, Object text, JsonBytes json) {
        if (text != null) {
            json.raw(name).string((String) text);
        }
    }

    private static void time(byte[] name, OffsetDateTime time, JsonBytes json) {
        if (time != null) {
            json.raw(name).time(time);
        }
    }

    // null if there is none or it is infinite
    private static OffsetDateTime finite(Map<String, Object> row, String name) {
        OffsetDateTime time = (OffsetDateTime) row.get(name);
        return OffsetDateTime.MAX.equals(time) || OffsetDateTime.MIN.equals(time) ? null : time;
    }
}
