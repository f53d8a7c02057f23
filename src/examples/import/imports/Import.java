package imports;

import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * The import of one file: its comments in lists, and what is left out. The file {@code .import/NAME.position} has how many comments are
 * settled, {@code left-out/NAME.tsv} each that is left out, with the reason. Belongs to one thread.
 */
public final class Import implements Iterator<CommentList>, Closeable {

    // else an emoji takes twelve bytes instead of four
    private static final ObjectMapper JSON =
            new ObjectMapper(new JsonFactoryBuilder().enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8).build());
    // a request may have 1 MiB
    private static final int MAX_LIST_BYTES = 512 << 10;
    // in UTF-8, the fields of a comment that is not too long take half of it
    private static final int MAX_COMMENT_BYTES = 100_000;
    private static final int MAX_REASONS = 50;

    private final Exports settings;
    private final Iterator<Entry> entries;
    private final long[] known;
    private final Path position;
    private final String size;
    private final Path report;
    // since the last list was settled
    private final StringBuilder leftOut = new StringBuilder();
    private final Map<String, Integer> reasons = new TreeMap<>();
    private final long settled;
    private long number;
    private long imported;

    /**
     * Begins after the comments that are settled.
     *
     * @param known the first halves of the ids that are imported, sorted; null if any parent is taken
     */
    Import(Path file, Exports settings, Iterator<Entry> entries, long[] known) throws IOException {
        this.settings = settings;
        this.entries = entries;
        this.known = known;
        size = Long.toString(Files.size(file));
        position = Files.createDirectories(file.resolveSibling(".import")).resolve(file.getFileName() + ".position");
        settled = settled();
        report = Files.createDirectories(file.resolveSibling("left-out")).resolve(file.getFileName() + ".tsv");
        if (settled == 0) {
            Files.writeString(report, "");
        }
    }

    // of this file: one of the same name may have been there before
    private long settled() throws IOException {
        if (Files.exists(position)) {
            String[] parts = Files.readString(position).split(" ");
            if (parts.length == 2 && parts[1].equals(size)) {
                return Long.parseLong(parts[0]);
            }
        }
        return 0;
    }

    @Override
    public boolean hasNext() {
        return entries.hasNext();
    }

    @Override
    public CommentList next() {
        CommentList list = new CommentList(this);
        while (entries.hasNext() && list.size() < settings.listSize() && list.bytes() < MAX_LIST_BYTES
                && leftOut.length() < MAX_LIST_BYTES) {
            Entry entry = entries.next();
            if (++number > settled) {
                add(entry, list);
            }
        }
        list.endsAt(number);
        return list;
    }

    private void add(Entry entry, CommentList list) {
        if (entry.leftOut() != null) {
            leaveOut(entry.name(), entry.leftOut());
            return;
        }
        Map<String, Object> comment = new TreeMap<>(entry.fields());
        comment.put("id", entry.id());
        UUID parent = entry.parent();
        if (parent != null && known != null && Arrays.binarySearch(known, parent.getMostSignificantBits()) < 0) {
            leaveOut(entry.name(), "only its parent, which is missing or left out");
        } else if (parent != null) {
            comment.put("parentId", parent);
        }
        try {
            byte[] json = JSON.writeValueAsBytes(comment);
            if (json.length > MAX_COMMENT_BYTES) {
                leaveOut(entry.name(), "larger than " + MAX_COMMENT_BYTES + " bytes");
            } else {
                list.add(entry.name(), json);
            }
        } catch (IOException e) {
            leaveOut(entry.name(), "not JSON: " + e.getMessage());
        }
    }

    /** Reports what is left out, when its list is settled. */
    void leaveOut(String name, String reason) {
        String counted = reason.replaceAll("\\d{3,}", "…");
        reasons.merge(reasons.size() < MAX_REASONS || reasons.containsKey(counted) ? counted : "other reasons", 1, Integer::sum);
        leftOut.append(oneLine(name)).append('\t').append(oneLine(reason)).append('\n');
    }

    private static String oneLine(String text) {
        return text.substring(0, Math.min(text.length(), 300)).replaceAll("[\\p{Cc}]", " ");
    }

    /** Notes that all comments up to a number are settled. */
    void settle(long upTo, int accepted) throws IOException {
        imported += accepted;
        Files.writeString(report, leftOut, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        leftOut.setLength(0);
        Path written = Files.writeString(position.resolveSibling(position.getFileName() + ".new"), upTo + " " + size);
        Files.move(written, position, StandardCopyOption.ATOMIC_MOVE);
    }

    void finish() throws IOException {
        Files.deleteIfExists(position);
    }

    @Override
    public void close() throws IOException {
        ((Closeable) entries).close();
    }

    /** How many comments are imported, and how many are left out for which reason. */
    @Override
    public String toString() {
        return "imported " + imported + (imported == 1 ? " comment" : " comments") + (settled == 0 ? "" : " behind the first " + settled)
                + (reasons.isEmpty() ? "" : ", left out: " + reasons.entrySet().stream()
                        .map(reason -> reason.getValue() + " " + reason.getKey()).collect(Collectors.joining(", ")));
    }
}
