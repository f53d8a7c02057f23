package imports;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.UUID;

/**
 * A comment of an export.
 *
 * @param name how the report names it: its site, and its id there
 * @param parent the comment that it replies to, or null
 * @param fields the other fields of a comment that is posted
 * @param leftOut why it is not imported; null if it is
 */
record Entry(String name, UUID id, UUID parent, Map<String, Object> fields, String leftOut) {

    /** This comment, left out. */
    Entry without(String reason) {
        return new Entry(name, id, parent, fields, reason);
    }

    /** The same parts give the same id, so that importing again changes nothing. */
    static UUID uuid(String... parts) {
        return UUID.nameUUIDFromBytes(String.join("\n", parts).getBytes(StandardCharsets.UTF_8));
    }
}
