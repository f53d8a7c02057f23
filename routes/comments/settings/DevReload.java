package comments.settings;

import org.apache.camel.CamelContext;
import org.apache.camel.RuntimeCamelException;
import org.apache.camel.StartupListener;
import org.apache.camel.spi.ResourceReload;
import org.apache.camel.support.RouteWatcherReloadStrategy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What {@code camel run --dev} reloads when a file changes: a file of routes by itself, and never the connections. */
final class DevReload {

    private static final Logger LOG = LoggerFactory.getLogger(DevReload.class);
    private static final String CONNECTIONS = "connections.camel.yaml";

    private DevReload() {
    }

    /** Sets this for a context that is not started yet. */
    static void limit(CamelContext context) {
        // "camel run --source-dir --dev" (4.17) would compile with each changed route file the classes that it could not make an
        // instance of, without those that they use, and fail: JavaRoutesBuilderLoader.compileResources
        context.getRegistry().unbind(RouteWatcherReloadStrategy.RELOAD_RESOURCES);
        try {
            context.addStartupListener(new StartupListener() {
                @Override
                public void onCamelContextStarted(CamelContext started, boolean alreadyStarted) {
                    // the file watcher is not set up yet
                }

                @Override
                public void onCamelContextFullyStarted(CamelContext started, boolean alreadyStarted) {
                    started.hasServices(RouteWatcherReloadStrategy.class).forEach(DevReload::refuseConnections);
                }
            });
        } catch (Exception e) {
            throw RuntimeCamelException.wrapRuntimeException(e);
        }
    }

    // Routes of other files would keep pools that the reload closes. An exception here would come again with every later reload.
    private static void refuseConnections(RouteWatcherReloadStrategy watcher) {
        ResourceReload reload = watcher.getResourceReload();
        watcher.setResourceReload((name, resource) -> {
            if (name.endsWith(CONNECTIONS)) {
                LOG.warn("A change of {} can't be reloaded: end the process and start it again", CONNECTIONS);
            } else {
                reload.onReload(name, resource);
            }
        });
    }
}
