package comments.model;

/** The limits of a comment's texts, in Unicode characters (code points), as JSON Schema counts them. */
public final class CommentText {

    /** The largest number of characters of a post's or a user's id, and of a user's name. */
    public static final int MAX_NAME = 200;

    /** The largest number of characters of a content. */
    public static final int MAX_CONTENT = 10_000;

    private CommentText() {
    }

    /** The length in characters, or -1 if PostgreSQL couldn't store the text or UTF-8 couldn't say it. */
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
}
