package imports;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.UUID;

/**
 * Reads NDJSON: on each line a comment as the API takes it. Its ids may be any texts; a comment without an id gets one of its line,
 * and is left out where the same line is there again. What the API adds when it answers, {@code createdAt} and {@code editedAt}, is
 * ignored. Ids that are no UUIDs are those of a site.
 */
final class LinesExport implements Iterator<Entry>, Closeable {

    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final TypeReference<Map<String, Object>> FIELDS = new TypeReference<>() { };
    private static final int MAX_LINE = 1 << 20;

    private final BufferedReader file;
    private final String site;
    private final SeenIds withoutId = SeenIds.none();
    private int number;
    private String line;

    LinesExport(InputStream file, String site) {
        this.site = site;
        this.file = new BufferedReader(new InputStreamReader(file, StandardCharsets.UTF_8));
    }

    @Override
    public boolean hasNext() {
        try {
            while (line == null || line.isBlank() || line.equals("\ufeff")) {
                line = readLine();
                number++;
                if (line == null) {
                    return false;
                }
            }
            return true;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // the rest of a longer line is dropped
    private String readLine() throws IOException {
        StringBuilder read = new StringBuilder();
        int c = file.read();
        if (c < 0) {
            return null;
        }
        for (; c >= 0 && c != '\n'; c = file.read()) {
            if (read.length() <= MAX_LINE) {
                read.append((char) c);
            }
        }
        return read.toString();
    }

    @Override
    public Entry next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        String text = number == 1 && line.startsWith("\ufeff") ? line.substring(1) : line;
        line = null;
        String name = "line " + number;
        if (text.length() > MAX_LINE) {
            return leftOut(name, "a line of more than 1 MiB");
        }
        try {
            Map<String, Object> fields = JSON.readValue(text, FIELDS);
            if (fields == null) {
                return leftOut(name, "not one JSON object");
            }
            fields.keySet().removeAll(java.util.Set.of("createdAt", "editedAt"));
            Object id = fields.remove("id");
            Object parent = fields.remove("parentId");
            UUID uuid = id == null ? Entry.uuid("ndjson", text) : uuid(id);
            return new Entry(id == null ? name : name + ' ' + id, uuid, parent == null ? null : uuid(parent), fields,
                    id != null || withoutId.add(uuid) ? null : "the same line again");
        } catch (JsonProcessingException e) {
            return leftOut(name, "not one JSON object");
        }
    }

    private static Entry leftOut(String name, String reason) {
        return new Entry(name, Entry.uuid("ndjson", name), null, Map.of(), reason);
    }

    private UUID uuid(Object id) {
        try {
            if (id.toString().length() == 36) {
                return UUID.fromString(id.toString());
            }
        } catch (IllegalArgumentException e) {
            // of another kind
        }
        return site.isEmpty() ? Entry.uuid("ndjson id", id.toString()) : Entry.uuid("ndjson id", site, id.toString());
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
