package comments;

import java.util.List;
import org.apache.camel.main.Main;

/**
 * Runs the routes as one process, in the roles that {@code COMMENTS_ROLES} names. A wrong or missing setting, or a server
 * that is not reachable, ends the process with one line and exit code 1.
 */
public final class CommentPipeline {

    /** The route files, in the order in which they are loaded. */
    public static final List<String> ROUTES = List.of(
            "connections.camel.yaml",
            "errors.camel.yaml",
            "comment-service.camel.yaml",
            "comment-job-processor.camel.yaml",
            "comment-changes.camel.yaml",
            "user-erasures.camel.yaml",
            "notification-service.camel.yaml",
            "comment-reader.camel.yaml",
            "comment-api.camel.yaml",
            "comment-stream.camel.yaml",
            "comment-page.camel.yaml");

    // The JDK reads it once, at the first handshake. A client that starts handshakes anew, which TLS 1.2 has, costs the server more than
    // itself.
    private static final String REJECT_RENEGOTIATION = "jdk.tls.rejectClientInitiatedRenegotiation";

    static {
        System.setProperty(REJECT_RENEGOTIATION, System.getProperty(REJECT_RENEGOTIATION, "true"));
    }

    private CommentPipeline() {
    }

    public static void main(String[] args) {
        int exitCode = run(args);
        if (exitCode != 0) {
            System.exit(exitCode);
        }
    }

    /** Runs until the process is asked to end; returns its exit code. */
    static int run(String... args) {
        try {
            return create().run(args);
        } catch (Exception e) {
            StartFailure.report(StartFailure.describe(e));
            return 1;
        }
    }

    /** Makes the application, without starting it. */
    public static Main create() {
        Main main = new Main();
        main.configure().withRoutesIncludePattern("classpath:" + String.join(",classpath:", ROUTES));
        main.addMainListener(new StartChecks());
        main.addMainListener(new Drain());
        main.addMainListener(new Banner());
        main.addMainListener(new CamelCliConnection());
        return main;
    }
}
