package imports;

import java.io.InputStream;
import java.util.HashMap;
import java.util.Map;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;

/** Reads an export of Disqus: its threads, which are the pages, and its posts, which are the comments. */
final class DisqusExport extends XmlExport {

    /** A page. */
    record Page(String site, String id, String link, boolean deleted) {
    }

    private final Exports settings;
    private final Map<String, Page> pages;

    /**
     * Opens a file.
     *
     * @param pages the pages that are known already, and those that are found
     */
    DisqusExport(InputStream file, Exports settings, Limits limits, Map<String, Page> pages) throws XMLStreamException {
        super(file, limits);
        this.settings = settings;
        this.pages = pages;
    }

    @Override
    Entry read() throws XMLStreamException {
        while (xml.hasNext()) {
            if (xml.next() == XMLStreamConstants.START_ELEMENT) {
                String id = xml.getAttributeValue(null, "id");
                if (xml.getLocalName().equals("thread")) {
                    Map<String, String> texts = texts();
                    pages.put(id, new Page(texts.getOrDefault("forum", ""), texts.getOrDefault("id", ""), texts.getOrDefault("link", ""),
                            isTrue(texts, "isDeleted")));
                } else if (xml.getLocalName().equals("post")) {
                    return entry(String.valueOf(id), texts());
                }
            }
        }
        return null;
    }

    private Entry entry(String id, Map<String, String> texts) {
        Page page = pages.get(texts.get("thread@id"));
        String site = page == null ? "" : page.site();
        String parent = texts.get("parent@id");
        return new Entry(site + ' ' + id, Entry.uuid("disqus", site, id), parent == null ? null : Entry.uuid("disqus", site, parent),
                fields(texts, page), leftOut(texts, page));
    }

    private String leftOut(Map<String, String> texts, Page page) {
        if (isTrue(texts, "isSpam")) {
            return "spam";
        }
        if (isTrue(texts, "isDeleted")) {
            return "deleted";
        }
        if (page == null) {
            return "its thread is missing";
        }
        if (page.deleted()) {
            return "its thread is deleted";
        }
        return settings.isImported(page.site()) ? leftOut(texts.get("message")) : "of another site";
    }

    private Map<String, Object> fields(Map<String, String> texts, Page page) {
        Map<String, Object> fields = new HashMap<>();
        if (page != null) {
            String name = Text.or(texts.get("author/name"), Text.or(texts.get("author/username"), Exports.NO_NAME));
            boolean guest = isTrue(texts, "author/isAnonymous") || texts.getOrDefault("author/username", "").isBlank();
            fields.put("postId", settings.postId(page.link(), page.id()));
            fields.put("userId", guest ? settings.guest(page.site(), texts.getOrDefault("author/email", ""), name)
                    : texts.get("author/username").strip());
            fields.put("userName", name);
            fields.put("content", Text.ofHtml(texts.getOrDefault("message", "")));
            fields.put("acceptedAt", texts.getOrDefault("createdAt", "").strip());
        }
        return fields;
    }

    private static boolean isTrue(Map<String, String> texts, String path) {
        return texts.getOrDefault(path, "").strip().equalsIgnoreCase("true");
    }
}
