package comments;

import org.apache.camel.CamelContext;
import org.apache.camel.CamelContextAware;

/** Ends the start with a {@link ConfigurationException} if a knob is wrong, in launchers without checks of their own. */
public class KnobCheck implements CamelContextAware {

    private CamelContext camelContext;

    @Override
    public void setCamelContext(CamelContext camelContext) {
        this.camelContext = camelContext;
        Knobs.check(name -> camelContext.getPropertiesComponent().resolveProperty(name).orElse("").strip());
    }

    @Override
    public CamelContext getCamelContext() {
        return camelContext;
    }
}
