package imports;

import java.io.Closeable;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/** Reads an export in XML as a stream: the memory that it takes does not grow with the file. */
abstract class XmlExport implements Iterator<Entry>, Closeable {

    // a longer text is cut
    private static final int MAX_TEXT = 1 << 20;

    /** The reader of the file. */
    final XMLStreamReader xml;
    private final InputStream file;
    private final Limits limits;
    private Entry next;

    XmlExport(InputStream file, Limits limits) throws XMLStreamException {
        this.file = file;
        this.limits = limits;
        XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        // newer Java versions end a file at 100,000 &amp; and the like; without a DTD, no entity is longer than its name
        factory.setProperty("jdk.xml.maxGeneralEntitySizeLimit", 0);
        factory.setProperty("jdk.xml.totalEntitySizeLimit", 0);
        // some exports have entities of HTML, such as &nbsp;, which XML does not know
        factory.setProperty(XMLInputFactory.IS_REPLACING_ENTITY_REFERENCES, false);
        xml = factory.createXMLStreamReader(new Printable(file), "UTF-8");
    }

    /** The next comment; null at the end. */
    abstract Entry read() throws XMLStreamException;

    /** The text of the current element by the key "", of each element below it by its path, of their attributes by path@name. */
    Map<String, String> texts() throws XMLStreamException {
        Map<String, String> texts = new HashMap<>();
        StringBuilder text = new StringBuilder();
        String path = "";
        while (true) {
            switch (xml.next()) {
                case XMLStreamConstants.START_ELEMENT -> {
                    text.setLength(0);
                    path = path.isEmpty() ? xml.getLocalName() : path + '/' + xml.getLocalName();
                    for (int i = 0; i < xml.getAttributeCount(); i++) {
                        texts.putIfAbsent(path + '@' + xml.getAttributeLocalName(i), xml.getAttributeValue(i));
                    }
                }
                case XMLStreamConstants.CHARACTERS, XMLStreamConstants.CDATA, XMLStreamConstants.SPACE -> add(text, xml.getText());
                case XMLStreamConstants.ENTITY_REFERENCE -> add(text, '&' + xml.getLocalName() + ';');
                case XMLStreamConstants.END_ELEMENT -> {
                    texts.putIfAbsent(path, text.toString());
                    if (path.isEmpty()) {
                        return texts;
                    }
                    text.setLength(0);
                    path = path.substring(0, Math.max(0, path.lastIndexOf('/')));
                }
                default -> {
                    // comments and processing instructions
                }
            }
        }
    }

    private static void add(StringBuilder text, String part) {
        text.append(part, 0, Math.min(part.length(), MAX_TEXT + 1 - text.length()));
    }

    /** Why a comment with this text is left out; null if it is not. */
    static String leftOut(String text) {
        return text == null || text.length() <= MAX_TEXT ? null : "a text of more than 1 MiB";
    }

    private Entry readWithinLimits() throws XMLStreamException {
        Entry entry = read();
        String refusal = entry == null || entry.leftOut() != null ? null : limits.refusal(entry.fields());
        return refusal == null ? entry : entry.without(refusal);
    }

    @Override
    public boolean hasNext() {
        try {
            if (next == null) {
                next = readWithinLimits();
            }
            return next != null;
        } catch (XMLStreamException e) {
            throw new IllegalStateException("The file is not XML: " + e.getMessage(), e);
        }
    }

    @Override
    public Entry next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        Entry entry = next;
        next = null;
        return entry;
    }

    @Override
    public void close() throws IOException {
        file.close();
    }

    /** Makes spaces of the control characters that XML forbids, and that exports have nevertheless. */
    private static final class Printable extends FilterInputStream {

        Printable(InputStream file) {
            super(file);
        }

        @Override
        public int read(byte[] bytes, int from, int length) throws IOException {
            int end = from + super.read(bytes, from, length);
            for (int i = from; i < end; i++) {
                if (bytes[i] >= 0 && bytes[i] < ' ' && bytes[i] != '\t' && bytes[i] != '\n' && bytes[i] != '\r') {
                    bytes[i] = ' ';
                }
            }
            return end < from ? -1 : end - from;
        }
    }
}
