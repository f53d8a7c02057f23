package comments.settings;

import comments.postgresql.UnpooledDataSource;
import org.apache.camel.CamelContext;
import org.apache.camel.CamelContextAware;

/**
 * Ends the start with a {@link ConfigurationException} if a setting is wrong. The Camel CLI would print pages of stack traces
 * for it: there it is one line, the servers are tried, too, and the process ends with code 1. It also strips the values of all settings,
 * and limits what {@code camel run --dev} reloads, before any bean is made.
 *
 * <p>The thread that starts the context calls it, before any other bean is made.
 */
public class SettingsCheck implements CamelContextAware {

    private static final String CLI = "org.apache.camel.main.KameletMain";

    private CamelContext camelContext;

    @Override
    public void setCamelContext(CamelContext camelContext) {
        if (this.camelContext != null) {
            // Camel sets it several times
            return;
        }
        this.camelContext = camelContext;
        StrippedValues.install(camelContext);
        DevReload.limit(camelContext);
        if (camelContext.getClassResolver().resolveClass(CLI) == null) {
            Settings.check(this::setting);
            return;
        }
        try {
            Settings.check(this::setting);
            if (Settings.needsBroker(setting("COMMENTS_ROLES"))) {
                ServerCheck.broker(setting("RABBITMQ_URI"), setting("COMMENTS_ROLES"), Integer.parseInt(setting("COMMENTS_QUEUES")));
            }
            if (Settings.needsDatabase(setting("COMMENTS_ROLES"))) {
                ServerCheck.database(new UnpooledDataSource(setting("POSTGRES_URL"), setting("POSTGRES_USER"),
                        setting("POSTGRES_PASSWORD"))::getConnection);
            }
        } catch (ConfigurationException e) {
            System.err.println("comment-service: " + e.getMessage());
            System.exit(1);
        }
    }

    private String setting(String name) {
        return camelContext.getPropertiesComponent().resolveProperty(name).orElse("").strip();
    }

    @Override
    public CamelContext getCamelContext() {
        return camelContext;
    }
}
