package comments;

import org.apache.camel.CamelContext;
import org.apache.camel.cli.connector.DefaultCliConnectorFactory;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.MainListenerSupport;

/**
 * Shows this process to the Camel CLI after the start, if {@code OBSERVE_EXCHANGES} is true.
 *
 * <p>By default Camel always connects, in a thread that can break the start: it changes the dev consoles while the context starts
 * them. Without JMX, that thread fails silently every second.
 */
final class CamelCliConnection extends MainListenerSupport {

    @Override
    public void beforeConfigure(BaseMainSupport main) {
        DefaultCliConnectorFactory none = new DefaultCliConnectorFactory();
        none.setEnabled(false);
        main.getCamelContext().getRegistry().bind("camel-cli", none);
    }

    @Override
    public void afterStart(BaseMainSupport main) {
        CamelContext context = main.getCamelContext();
        if (Boolean.parseBoolean(context.resolvePropertyPlaceholders("{{OBSERVE_EXCHANGES}}"))) {
            try {
                context.addService(new DefaultCliConnectorFactory().createConnector(), true, true);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
