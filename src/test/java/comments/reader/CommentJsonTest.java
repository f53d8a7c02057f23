package comments.reader;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class CommentJsonTest {

    private static final UUID ID = UUID.fromString("01a203e0-e52b-70a1-b154-faa7274d2213");

    private final Map<String, Object> row = new HashMap<>(Map.of("id", ID, "post_id", "p\"", "user_id", "u\\", "user_name", "Ann",
            "content", "a\n\u00e4\ud83d\ude00\u0001", "accepted_at", OffsetDateTime.parse("2026-11-22T10:00:00.123999Z"),
            "created_at", OffsetDateTime.parse("2026-11-22T10:00:01.5Z")));

    private String json() {
        JsonBytes json = new JsonBytes(0);
        CommentJson.write(row, json);
        return new String(json.toByteArray(), StandardCharsets.UTF_8);
    }

    @Test
    void aCommentHasItsFieldsInThisOrder() {
        assertThat(json()).isEqualTo("{\"id\":\"01a203e0-e52b-70a1-b154-faa7274d2213\",\"postId\":\"p\\\"\",\"userId\":\"u\\\\\","
                + "\"userName\":\"Ann\",\"content\":\"a\\n\u00e4\ud83d\ude00\\u0001\",\"acceptedAt\":\"2026-11-22T10:00:00.123Z\","
                + "\"createdAt\":\"2026-11-22T10:00:01.500Z\"}");
    }

    @Test
    void aReplyThatIsEditedHasItsParentAndTheTimeOfTheEdit() {
        row.put("parent_id", new UUID(1, 2));
        row.put("edited_at", OffsetDateTime.parse("2026-11-22T11:00:00Z"));
        assertThat(json()).contains("\",\"parentId\":\"00000000-0000-0001-0000-000000000002\",\"acceptedAt\":\"2026-11-22T10:00:00.123Z\",")
                .endsWith(",\"editedAt\":\"2026-11-22T11:00:00.000Z\"}");
    }

    @Test
    void anErasedCommentHasNeitherContentNorAuthor() {
        row.put("edited_at", OffsetDateTime.parse("2026-11-22T11:00:00Z"));
        row.put("erased_at", OffsetDateTime.parse("2026-11-22T12:00:00Z"));
        assertThat(json()).isEqualTo("{\"id\":\"01a203e0-e52b-70a1-b154-faa7274d2213\",\"postId\":\"p\\\"\","
                + "\"acceptedAt\":\"2026-11-22T10:00:00.123Z\",\"createdAt\":\"2026-11-22T10:00:01.500Z\","
                + "\"erasedAt\":\"2026-11-22T12:00:00.000Z\"}");
    }

    @Test
    void anInfiniteTimeIsLeftOut() {
        row.put("accepted_at", OffsetDateTime.MAX);
        row.put("created_at", OffsetDateTime.MIN);
        assertThat(json()).endsWith("\\u0001\"}");
    }
}
