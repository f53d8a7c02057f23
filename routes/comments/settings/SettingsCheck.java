package comments.settings;

import java.sql.DriverManager;
import org.apache.camel.CamelContext;
import org.apache.camel.CamelContextAware;
import org.apache.camel.support.RouteWatcherReloadStrategy;

/**
 * Ends the start with a {@link ConfigurationException} if a knob is wrong, in launchers without checks of their own. The
 * Camel CLI would make a screenful of stack traces of it: there it is one line, the servers are tried, too, and the process
 * ends with code 1.
 */
public class SettingsCheck implements CamelContextAware {

    private static final String CLI = "org.apache.camel.main.KameletMain";

    private CamelContext camelContext;

    @Override
    public void setCamelContext(CamelContext camelContext) {
        this.camelContext = camelContext;
        StrippedValues.install(camelContext);
        // "camel run --source-dir --dev" (4.17) would compile with each changed route file the classes that it could not make an
        // instance of, without those that they use, and fail: JavaRoutesBuilderLoader.compileResources
        camelContext.getRegistry().unbind(RouteWatcherReloadStrategy.RELOAD_RESOURCES);
        // what was right goes on when the CLI could not reload what was changed
        if (camelContext.isStarted() || camelContext.getClassResolver().resolveClass(CLI) == null) {
            Settings.check(this::knob);
            return;
        }
        try {
            Settings.check(this::knob);
            if (Settings.needsBroker(knob("COMMENTS_ROLES"))) {
                ServerCheck.broker(knob("RABBITMQ_URI"), knob("COMMENTS_ROLES"));
            }
            if (Settings.needsDatabase(knob("COMMENTS_ROLES"))) {
                ServerCheck.database(() -> DriverManager.getConnection(knob("POSTGRES_URL"), knob("POSTGRES_USER"),
                        knob("POSTGRES_PASSWORD")));
            }
        } catch (ConfigurationException e) {
            System.err.println("comment-service: " + e.getMessage());
            System.exit(1);
        }
    }

    private String knob(String name) {
        return camelContext.getPropertiesComponent().resolveProperty(name).orElse("").strip();
    }

    @Override
    public CamelContext getCamelContext() {
        return camelContext;
    }
}
