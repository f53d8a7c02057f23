package comments;

import comments.postgresql.PostgresDataSource;
import comments.settings.ConfigurationException;
import comments.settings.ServerCheck;
import comments.settings.Settings;
import comments.settings.StrippedValues;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.Properties;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.MainListenerSupport;
import org.apache.camel.main.MainSupport;

/**
 * Checks the settings, the servers and the ports before any route starts, so that an error names the wrong one. Throws
 * {@link ConfigurationException}.
 */
final class StartChecks extends MainListenerSupport {

    static final String SERVICE = "comment-service";
    static final String READER = "comment-reader";
    private static final String NOTIFIER = "notification-service";

    @Override
    public void beforeConfigure(BaseMainSupport main) {
        CamelContext context = main.getCamelContext();
        StrippedValues.install(context);
        Properties defaults = defaults();
        List<String> missing = Stream.of("RABBITMQ_URI", "POSTGRES_URL")
                .filter(name -> name.equals("RABBITMQ_URI") ? !makesSchemaOnly(context) : needsDatabase(context))
                .filter(name -> !isSet(name) && setting(context, name).equals(defaults.getProperty(name))).toList();
        if (!missing.isEmpty()) {
            throw new ConfigurationException(String.join(" and ", missing) + " must be set, as "
                    + (missing.size() == 1 ? "an environment variable or a -D property" : "environment variables or -D properties"));
        }
        Settings.check(name -> setting(context, name));
    }

    /** The defaults in application.properties. */
    static Properties defaults() {
        Properties defaults = new Properties();
        try (InputStream file = StartChecks.class.getResourceAsStream("/application.properties")) {
            defaults.load(file);
            return defaults;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether an environment variable or a system property sets a setting. */
    static boolean isSet(String name) {
        return System.getenv(name) != null || System.getProperty(name) != null;
    }

    @Override
    public void beforeStart(BaseMainSupport main) {
        CamelContext context = main.getCamelContext();
        requireFree(context, "MANAGEMENT");
        if (makesSchemaOnly(context)) {
            checkDatabase(context);
            // no route
            context.setAutoStartup(false);
            return;
        }
        if (hasRole(context, SERVICE) || hasRole(context, READER)) {
            requireFree(context, "HTTP");
        }
        if (hasRole(context, NOTIFIER)) {
            requireEndpoint(context, "NOTIFICATIONS_PUSH_ENDPOINT");
        }
        if (Settings.needsBroker(setting(context, "COMMENTS_ROLES"))) {
            ServerCheck.broker(setting(context, "RABBITMQ_URI"), setting(context, "COMMENTS_ROLES"),
                    Integer.parseInt(setting(context, "COMMENTS_QUEUES")));
        }
        if (needsDatabase(context)) {
            checkDatabase(context);
        }
    }

    // also makes the schema
    private static void checkDatabase(CamelContext context) {
        PostgresDataSource database = context.getRegistry().lookupByNameAndType("comments", PostgresDataSource.class);
        ServerCheck.database(database::getConnection);
    }

    private static boolean needsDatabase(CamelContext context) {
        return makesSchemaOnly(context) || Settings.needsDatabase(setting(context, "COMMENTS_ROLES"));
    }

    /** Whether this process ends when it has made the schema. */
    static boolean makesSchemaOnly(CamelContext context) {
        return setting(context, "POSTGRES_MIGRATE").equals("only");
    }

    @Override
    public void afterStart(BaseMainSupport main) {
        if (makesSchemaOnly(main.getCamelContext())) {
            ((MainSupport) main).completed();
        }
    }

    private static void requireEndpoint(CamelContext context, String name) {
        try {
            context.getEndpoint(setting(context, name));
        } catch (RuntimeException e) {
            throw new ConfigurationException("%s must be a Camel endpoint: %s".formatted(name, ServerCheck.rootMessage(e)));
        }
    }

    private static void requireFree(CamelContext context, String server) {
        String host = setting(context, server + "_HOST");
        String port = setting(context, server + "_PORT");
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(host, Integer.parseInt(port)));
        } catch (IOException e) {
            throw new ConfigurationException("%s_HOST=%s, %s_PORT=%s: can't listen there: %s"
                    .formatted(server, host, server, port, e.getMessage()));
        }
    }

    static boolean hasRole(CamelContext context, String role) {
        return setting(context, "COMMENTS_ROLES").contains(role);
    }

    static String setting(CamelContext context, String name) {
        return context.getPropertiesComponent().resolveProperty(name).orElse("").strip();
    }
}
