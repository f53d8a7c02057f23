package comments;

import org.apache.camel.CamelContext;
import org.apache.camel.cli.connector.DefaultCliConnectorFactory;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.MainListenerSupport;

/**
 * Lets the Camel CLI see this process if {@code OBSERVE_EXCHANGES} says so, once it is started.
 *
 * <p>By default Camel always tries, in a thread that may fail the start (it changes the dev consoles while the context starts
 * them), and fails without a word once a second where JMX is off.
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
