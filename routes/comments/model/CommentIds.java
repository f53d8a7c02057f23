package comments.model;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.impl.TimeBasedEpochGenerator;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.UUID;

/** Gives comments their ids. Any number of threads may call it. */
public final class CommentIds {

    private static final TimeBasedEpochGenerator VERSION_7 = Generators.timeBasedEpochGenerator();

    private CommentIds() {
    }

    /** A new id: a UUIDv7 (RFC 9562), so that rows arrive at the end of the primary key's index. */
    public static UUID next() {
        return VERSION_7.generate();
    }

    /**
     * The id of a comment with an idempotency key: the same client, key and comment give the same id on any machine at any
     * time. Another comment with the same key gets another id. A UUIDv8 made of SHA-256 (RFC 9562,
     * appendix B.2).
     *
     * @param client the name of the client's API key; "" without API keys
     */
    public static UUID derive(String client, String key, Comment comment) {
        MessageDigest sha256 = sha256();
        add(sha256, client);
        add(sha256, key);
        add(sha256, comment.postId());
        add(sha256, comment.userId());
        add(sha256, comment.userName());
        add(sha256, comment.content());
        add(sha256, comment.parentId() == null ? "" : comment.parentId().toString());
        ByteBuffer hash = ByteBuffer.wrap(sha256.digest());
        return new UUID(
                hash.getLong() & 0xffff_ffff_ffff_0fffL | 0x8000L,
                hash.getLong() & 0x3fff_ffff_ffff_ffffL | 0x8000_0000_0000_0000L);
    }

    /** When an id was made, in milliseconds; null if it does not say, because it is no UUIDv7. */
    public static Instant time(UUID id) {
        return id.version() == 7 ? Instant.ofEpochMilli(id.getMostSignificantBits() >>> 16) : null;
    }

    /** Parses an id of 36 characters; returns null if the text is not one. */
    public static UUID parse(String text) {
        try {
            UUID id = UUID.fromString(text);
            // UUID.fromString also accepts short groups, such as 1-1-1-1-1
            return id.toString().equalsIgnoreCase(text) ? id : null;
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    // The length before each part distinguishes "ab" + "c" from "a" + "bc".
    private static void add(MessageDigest digest, String part) {
        byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, bytes.length));
        digest.update(bytes);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
