package imports;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.StringJoiner;
import java.util.regex.Pattern;

/**
 * What the API takes. A comment that it would refuse is left out before the first one is posted, so that no reply names it. The CLI
 * runs this folder without the application, so these are copies; a test compares them with the API.
 */
public final class Limits {

    private static final int MAX_NAME = 200;
    private static final int MAX_CONTENT = 10_000;
    private static final Pattern NOT_STORED = Pattern.compile("[\\x00\\p{Cs}]");
    private static final Pattern VISIBLE = Pattern.compile("[^\\p{Z}\\p{Cc}\\p{Cf}\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u2065"
            + "\\u2800\\u3164\\ufe00-\\ufe0f\\uffa0\\ufff0-\\ufff8\\x{e0000}-\\x{e0fff}]");
    private static final Pattern RFC_3339 =
            Pattern.compile("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?(Z|[+-]\\d\\d:\\d\\d)", Pattern.CASE_INSENSITIVE);
    private static final Instant EARLIEST = Instant.parse("0001-01-01T00:00:00Z");

    private final Instant now;
    private final int retentionDays;

    /**
     * The limits of one import.
     *
     * @param now when it began: a file that is read twice has the same comments each time
     * @param retentionDays how long the API keeps comments; 0 for ever
     */
    public Limits(Instant now, int retentionDays) {
        this.now = now;
        this.retentionDays = retentionDays;
    }

    /** Why the API would refuse a comment, as its answer would say; null if it would not. */
    public String refusal(Map<String, Object> fields) {
        StringJoiner reasons = new StringJoiner("; ");
        text(reasons, fields, "postId", MAX_NAME, false);
        text(reasons, fields, "userId", MAX_NAME, false);
        text(reasons, fields, "userName", MAX_NAME, true);
        text(reasons, fields, "content", MAX_CONTENT, true);
        String wrong = time(fields.get("acceptedAt").toString());
        if (wrong != null) {
            reasons.add("acceptedAt " + wrong);
        }
        return reasons.length() == 0 ? null : reasons.toString();
    }

    private static void text(StringJoiner reasons, Map<String, Object> fields, String name, int max, boolean visible) {
        String text = fields.get(name).toString();
        int length = text.codePointCount(0, text.length());
        if (NOT_STORED.matcher(text).find()) {
            reasons.add(name + " must not contain the character U+0000 or half of a surrogate pair");
        } else if (length < 1 || length > max) {
            reasons.add(name + " must be 1 to " + max + " characters long, and is " + length);
        }
        if (visible && length > 0 && !isVisible(text)) {
            reasons.add(name + " must have a visible character");
        }
    }

    /** Whether a text has a character that can be seen. */
    public static boolean isVisible(String text) {
        return VISIBLE.matcher(text).find();
    }

    private String time(String text) {
        try {
            if (RFC_3339.matcher(text).matches()) {
                Instant time = OffsetDateTime.parse(text).toInstant();
                if (time.isAfter(now)) {
                    return "must not be in the future";
                }
                if (time.isBefore(EARLIEST)) {
                    return "must be in the year 1 or later";
                }
                return retentionDays == 0 || !time.isBefore(now.minus(retentionDays, ChronoUnit.DAYS)) ? null
                        : "must not be more than " + retentionDays + " days ago: comments are kept for so long";
            }
        } catch (DateTimeException e) {
            // such as the 30th of February
        }
        return "must be a time with its offset, such as 2026-11-22T21:38:07.681Z (RFC 3339)";
    }
}
