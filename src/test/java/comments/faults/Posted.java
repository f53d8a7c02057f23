package comments.faults;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Random;
import java.util.UUID;

/** A comment as a caller wrote it. No two callers' comments are the same: their contents are numbered. */
record Posted(String postId, String userId, String userName, String content, UUID parentId) {

    private static final int SHOWN = 40;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String[] TEXTS = {"First!", "„Größe“ – naïve café", "😀👩‍👩‍👧‍👦🏳️‍🌈", "שלום عليكم",
        "\"quoted\" \\ back\\slash \\u0041", "line\nline\r\n\ttab\u0001\u007f\u0085\u2028", "日本語 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \uffff e\u0301 é",
        "'; DROP TABLE comments; --", "<script>alert(1)</script>", "[{\"id\":\"not an id\"}]", "null"};

    /** A comment that nobody else posts. */
    static Posted number(long number) {
        Random random = new Random(number);
        String text = TEXTS[random.nextInt(TEXTS.length)];
        return new Posted("post-" + random.nextInt(50), "user-" + random.nextInt(1_000), text,
                "Comment " + number + " " + text + "x".repeat(random.nextInt(300)),
                random.nextInt(4) == 0 ? new UUID(random.nextLong(), random.nextLong()) : null);
    }

    /** Short, for messages. */
    @Override
    public String toString() {
        return content.substring(0, Math.min(content.length(), SHOWN));
    }

    ObjectNode json() {
        ObjectNode json = JSON.createObjectNode().put("postId", postId).put("userId", userId).put("userName", userName)
                .put("content", content);
        if (parentId != null) {
            json.put("parentId", parentId.toString());
        }
        return json;
    }
}
