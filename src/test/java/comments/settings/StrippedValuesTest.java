package comments.settings;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.camel.CamelContext;
import org.apache.camel.component.properties.DefaultPropertiesParser;
import org.apache.camel.component.properties.PropertiesComponent;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.Test;

class StrippedValuesTest {

    private static final String NAME = "STRIPPED_VALUES_TEST";

    private static String resolved(CamelContext context) {
        try {
            System.setProperty(NAME, " amqp://guest:guest@localhost \r\n");
            return context.resolvePropertyPlaceholders("<{{" + NAME + "}}>")
                    + context.getPropertiesComponent().resolveProperty(NAME).orElseThrow();
        } finally {
            System.clearProperty(NAME);
        }
    }

    @Test
    void whiteSpaceAroundAValueIsNoPartOfIt() throws Exception {
        try (DefaultCamelContext context = new DefaultCamelContext()) {
            StrippedValues.install(context);
            StrippedValues.install(context);
            assertThat(resolved(context)).isEqualTo("<amqp://guest:guest@localhost>amqp://guest:guest@localhost");
        }
    }

    @Test
    void aParserOfEncryptedValuesStays() throws Exception {
        try (DefaultCamelContext context = new DefaultCamelContext()) {
            DefaultPropertiesParser parser = new DefaultPropertiesParser() {
            };
            ((PropertiesComponent) context.getPropertiesComponent()).setPropertiesParser(parser);
            StrippedValues.install(context);
            assertThat(((PropertiesComponent) context.getPropertiesComponent()).getPropertiesParser()).isSameAs(parser);
        }
    }
}
