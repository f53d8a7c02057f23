package imports;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Locale;
import java.util.UUID;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jsoup.Jsoup;
import org.jsoup.nodes.Element;
import org.jsoup.nodes.Node;
import org.jsoup.nodes.TextNode;
import org.jsoup.select.NodeVisitor;

/** Makes the texts of comments from those of exports. */
final class Text {

    private Text() {
    }

    /** The text of HTML: its line breaks and paragraphs are lines, its scripts and styles are left out. */
    static String ofHtml(String html) {
        StringBuilder text = new StringBuilder();
        Jsoup.parseBodyFragment(html).body().traverse(new NodeVisitor() {
            @Override
            public void head(Node node, int depth) {
                if (node instanceof TextNode part) {
                    text.append(part.getWholeText());
                } else if (node instanceof Element element && (element.isBlock() || element.normalName().equals("br"))) {
                    text.append('\n');
                }
            }

            @Override
            public void tail(Node node, int depth) {
                if (node instanceof Element element && element.isBlock()) {
                    text.append('\n');
                }
            }
        });
        return text.toString().replace("\r\n", "\n").replaceAll("[ \t\u00a0]+\n", "\n").replaceAll("\n{3,}", "\n\n").strip();
    }

    /**
     * The user id of a guest: the same for the same person on a site, by the address if it is known, or else by the name. Without the
     * secret, nobody can find out whether it belongs to an address.
     */
    static String guest(String secret, String site, String mail, String name) {
        String person = mail.isBlank() ? "name " + name : "mail " + mail.strip().toLowerCase(Locale.ROOT);
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec((secret + ' ').getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
            return UUID.nameUUIDFromBytes(mac.doFinal((site + '\n' + person).getBytes(StandardCharsets.UTF_8))).toString();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has HmacSHA256", e);
        }
    }

    /** A text, or another one if it is blank. */
    static String or(String text, String other) {
        return text == null || text.isBlank() ? other : text.strip();
    }
}
