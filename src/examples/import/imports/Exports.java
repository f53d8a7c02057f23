package imports;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import imports.DisqusExport.Page;
import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.TreeMap;
import javax.xml.stream.XMLStreamException;
import org.apache.camel.ExchangeProperty;

/**
 * What the routes call to import the files of a folder. An XML file is read twice: at first for the ids of the comments that are
 * imported, 8 bytes each, so that no reply has a parent that is left out.
 */
public class Exports {

    /** The name of authors without one. */
    static final String NO_NAME = "Anonymous";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int START = 4_096;

    private boolean postById;
    private String site = "";
    private int listSize = 500;
    private String secret = "";
    private int retentionDays;

    /** What becomes the postId of a comment: {@code link} or {@code id}. */
    public void setPostBy(String postBy) {
        if (!postBy.equals("link") && !postBy.equals("id")) {
            throw new IllegalArgumentException("IMPORT_POST=" + postBy + " must be link or id");
        }
        postById = postBy.equals("id");
    }

    /** The only site of Disqus that is imported, and the one whose ids are in NDJSON; "" for all. */
    public void setSite(String site) {
        this.site = site;
    }

    /** The largest number of comments of a list. */
    public void setListSize(int listSize) {
        this.listSize = listSize;
    }

    /** What the user ids of guests are made with. */
    public void setSecret(String secret) {
        this.secret = secret;
    }

    /** How long the API keeps comments, in days: those that are older are left out. 0, the default: for ever. */
    public void setRetentionDays(int retentionDays) {
        this.retentionDays = retentionDays;
    }

    String postId(String link, String id) {
        return postById ? Text.or(id, link) : Text.or(link, id);
    }

    String guest(String ofSite, String mail, String name) {
        return Text.guest(secret, ofSite, mail, name);
    }

    boolean isImported(String ofSite) {
        return site.isEmpty() || site.equals(ofSite);
    }

    int listSize() {
        return listSize;
    }

    /** Begins with a file, or continues where its import ended. */
    public Import open(File file) throws IOException, XMLStreamException {
        Map<String, Page> pages = new HashMap<>();
        Limits limits = new Limits(Instant.now(), retentionDays);
        // before the file is opened again: a file that is broken ends here
        long[] known = known(file.toPath(), limits, pages);
        return new Import(file.toPath(), this, read(file.toPath(), limits, pages), known);
    }

    /** Notes that a list is settled: its comments are accepted, or left out. */
    public void settle(@ExchangeProperty("list") CommentList list) throws IOException {
        list.settle();
    }

    /**
     * Leaves out the comments of a list that an answer names.
     *
     * @param problem the answer (RFC 9457)
     */
    public void leaveOut(String problem, @ExchangeProperty("list") CommentList list) throws IOException {
        Map<Integer, String> reasons = new TreeMap<>();
        for (JsonNode error : JSON.readTree(problem).path("errors")) {
            String[] pointer = error.path("pointer").asText().split("/", 3);
            if (pointer.length < 2 || !pointer[1].matches("\\d{1,4}")) {
                throw new IllegalStateException("The list is not accepted: " + problem);
            }
            reasons.merge(Integer.valueOf(pointer[1]), (pointer.length > 2 ? pointer[2] + ' ' : "") + error.path("detail").asText(),
                    (one, other) -> one + "; " + other);
        }
        if (reasons.isEmpty()) {
            throw new IllegalStateException("The list is not accepted: " + problem);
        }
        list.leaveOut(reasons);
    }

    /** Forgets how far a file was imported. */
    public void finish(@ExchangeProperty("import") Import file) throws IOException {
        file.finish();
    }

    private Iterator<Entry> read(Path file, Limits limits, Map<String, Page> pages) throws IOException, XMLStreamException {
        InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
        if (isLines(file)) {
            return new LinesExport(in, site);
        }
        in.mark(START);
        String start = new String(in.readNBytes(START), StandardCharsets.UTF_8);
        in.reset();
        if (start.contains("<disqus")) {
            return new DisqusExport(in, this, limits, pages);
        }
        if (start.contains("<rss")) {
            return new WordPressExport(in, this, limits);
        }
        in.close();
        throw new IllegalArgumentException(file + " is an export neither of Disqus nor of WordPress");
    }

    private static boolean isLines(Path file) {
        return file.toString().endsWith(".ndjson");
    }

    /** The first halves of the ids of all comments that are imported, sorted; null for a file whose replies may have parents elsewhere. */
    private long[] known(Path file, Limits limits, Map<String, Page> pages) throws IOException, XMLStreamException {
        if (isLines(file)) {
            return null;
        }
        long[] known = new long[1_024];
        int size = 0;
        Iterator<Entry> entries = read(file, limits, pages);
        try (Closeable closed = (Closeable) entries) {
            while (entries.hasNext()) {
                Entry entry = entries.next();
                if (entry.leftOut() == null) {
                    known = size == known.length ? Arrays.copyOf(known, 2 * size) : known;
                    known[size++] = entry.id().getMostSignificantBits();
                }
            }
        }
        known = Arrays.copyOf(known, size);
        Arrays.sort(known);
        return known;
    }
}
