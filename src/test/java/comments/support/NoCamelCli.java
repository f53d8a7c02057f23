package comments.support;

import org.apache.camel.cli.connector.DefaultCliConnectorFactory;

/** Keeps the Camel CLI away from the contexts that tests make: see {@code CamelCliConnection}. */
public final class NoCamelCli extends DefaultCliConnectorFactory {

    public NoCamelCli() {
        setEnabled(false);
    }
}
