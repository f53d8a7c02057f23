package comments.support;

import java.nio.file.Path;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPath;
import javax.xml.xpath.XPathConstants;
import javax.xml.xpath.XPathFactory;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

/** What pom.xml says. */
public final class Pom {

    private static final XPath XPATH = XPathFactory.newInstance().newXPath();

    private Pom() {
    }

    private static Document document() throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(Path.of("pom.xml").toFile());
    }

    /** The text at an XPath, empty if there is none. */
    public static String text(String path) throws Exception {
        return XPATH.evaluate(path, document());
    }

    public static NodeList nodes(String path) throws Exception {
        return (NodeList) XPATH.evaluate(path, document(), XPathConstants.NODESET);
    }

    /** The value of a property, such as {@code camel.version}. */
    public static String property(String name) throws Exception {
        String value = text("/project/properties/" + name);
        if (value.isEmpty()) {
            throw new IllegalArgumentException("pom.xml has no property " + name);
        }
        return value;
    }
}
