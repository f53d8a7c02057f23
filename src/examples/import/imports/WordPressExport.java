package imports;

import java.io.InputStream;
import java.util.HashMap;
import java.util.Map;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import org.jsoup.parser.Parser;

/** Reads an export of WordPress (WXR, any version): the comments of its items, which are its posts and pages. */
final class WordPressExport extends XmlExport {

    private static final String NAMESPACE = "http://wordpress.org/export/";

    private final Exports settings;
    private String site = "";
    private boolean inItem;
    private String link = "";
    private String number = "";

    WordPressExport(InputStream file, Exports settings, Limits limits) throws XMLStreamException {
        super(file, limits);
        this.settings = settings;
    }

    @Override
    Entry read() throws XMLStreamException {
        while (xml.hasNext()) {
            int event = xml.next();
            if (event == XMLStreamConstants.END_ELEMENT && xml.getLocalName().equals("item")) {
                inItem = false;
            } else if (event == XMLStreamConstants.START_ELEMENT) {
                boolean ofWordPress = String.valueOf(xml.getNamespaceURI()).startsWith(NAMESPACE);
                switch (xml.getLocalName()) {
                    case "item" -> {
                        inItem = true;
                        link = "";
                        number = "";
                    }
                    case "link" -> readLink();
                    case "base_blog_url" -> site = texts().get("").strip();
                    case "post_id" -> number = texts().get("").strip();
                    case "comment" -> {
                        if (ofWordPress) {
                            return entry(texts());
                        }
                    }
                    default -> {
                        // elements below it may be of use
                    }
                }
            }
        }
        return null;
    }

    private void readLink() throws XMLStreamException {
        String text = texts().get("").strip();
        if (inItem) {
            link = Text.or(link, text);
        } else {
            site = Text.or(site, text);
        }
    }

    private Entry entry(Map<String, String> texts) {
        String id = texts.getOrDefault("comment_id", "").strip();
        String parent = texts.getOrDefault("comment_parent", "").strip();
        return new Entry(site + ' ' + id, Entry.uuid("wordpress", site, id),
                parent.isEmpty() || parent.equals("0") ? null : Entry.uuid("wordpress", site, parent), fields(texts), leftOut(texts));
    }

    private static String leftOut(Map<String, String> texts) {
        String approved = texts.getOrDefault("comment_approved", "").strip();
        String type = Text.or(texts.get("comment_type"), "comment");
        return switch (approved) {
            case "1", "approve" -> type.equals("comment") ? leftOut(texts.get("comment_content")) : "of the type " + type;
            case "0", "hold" -> "not approved";
            case "trash", "post-trashed" -> "deleted";
            case "" -> "comment_approved is missing";
            default -> approved;
        };
    }

    private Map<String, Object> fields(Map<String, String> texts) {
        Map<String, Object> fields = new HashMap<>();
        // as it is stored, in HTML: what a guest's id is made of stays
        String name = Text.or(texts.get("comment_author"), Exports.NO_NAME);
        String user = Text.or(texts.get("comment_user_id"), "0");
        fields.put("postId", settings.postId(link, number));
        fields.put("userId", user.equals("0") ? settings.guest(site, texts.getOrDefault("comment_author_email", ""), name)
                : user + '@' + site.replaceFirst("^\\w+://", ""));
        fields.put("userName", Text.or(Parser.unescapeEntities(name, true), Exports.NO_NAME));
        fields.put("content", Text.ofHtml(texts.getOrDefault("comment_content", "")));
        fields.put("acceptedAt", time(texts));
        return fields;
    }

    // WordPress leaves the time in UTC at zero where it does not know it
    private static String time(Map<String, String> texts) {
        String utc = texts.getOrDefault("comment_date_gmt", "").strip();
        String time = utc.isEmpty() || utc.startsWith("0000") ? texts.getOrDefault("comment_date", "").strip() : utc;
        return time.replace(' ', 'T') + 'Z';
    }
}
