package comments;

import java.sql.DriverManager;
import org.apache.camel.CamelContext;
import org.apache.camel.CamelContextAware;

/**
 * Ends the start with a {@link ConfigurationException} if a knob is wrong, in launchers without checks of their own. The
 * Camel CLI would make a screenful of stack traces of it: there it is one line, the servers are tried, too, and the process
 * ends with code 1.
 */
public class KnobCheck implements CamelContextAware {

    private static final String CLI = "org.apache.camel.main.KameletMain";

    private CamelContext camelContext;

    @Override
    public void setCamelContext(CamelContext camelContext) {
        this.camelContext = camelContext;
        // what was right goes on when the CLI could not reload what was changed
        if (camelContext.isStarted() || camelContext.getClassResolver().resolveClass(CLI) == null) {
            Knobs.check(this::knob);
            return;
        }
        try {
            Knobs.check(this::knob);
            if (Knobs.needsBroker(knob("COMMENTS_ROLES"))) {
                ServerCheck.broker(knob("RABBITMQ_URI"));
            }
            if (Knobs.needsDatabase(knob("COMMENTS_ROLES"))) {
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
