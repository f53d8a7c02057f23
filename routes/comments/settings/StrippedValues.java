package comments.settings;

import org.apache.camel.CamelContext;
import org.apache.camel.component.properties.DefaultPropertiesParser;
import org.apache.camel.component.properties.PropertiesComponent;
import org.apache.camel.component.properties.PropertiesLookup;

/**
 * Strips the values that Camel's placeholders resolve to. Files that are mounted or copied as environment variables, such as
 * secrets, often end with a line break; no setting begins or ends with white space.
 */
public final class StrippedValues extends DefaultPropertiesParser {

    private StrippedValues(PropertiesComponent properties) {
        super(properties);
    }

    /** Strips all values of a context from now on, unless the context has a parser of its own, for encrypted values. */
    public static void install(CamelContext context) {
        if (context.getPropertiesComponent() instanceof PropertiesComponent properties
                && properties.getPropertiesParser().getClass() == DefaultPropertiesParser.class) {
            properties.setPropertiesParser(new StrippedValues(properties));
        }
    }

    @Override
    public String parseProperty(String key, String value, PropertiesLookup lookup) {
        return value == null ? null : value.strip();
    }
}
