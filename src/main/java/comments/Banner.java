package comments;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.MainListenerSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs the roles and the addresses of this process when it has started. */
final class Banner extends MainListenerSupport {

    private static final Logger LOG = LoggerFactory.getLogger(CommentPipeline.class);
    private static final String EXAMPLE = """
            {"postId":"p1","userId":"u1","userName":"Ann","content":"First!"}""";

    private final long createdNanos = System.nanoTime();

    @Override
    public void afterStart(BaseMainSupport main) {
        CamelContext context = main.getCamelContext();
        if (StartChecks.makesSchemaOnly(context)) {
            LOG.info("The schema is made: this process ends, because of POSTGRES_MIGRATE=only");
            return;
        }
        LOG.info("{} started in {} ms{}", StartChecks.setting(context, "COMMENTS_ROLES").replace(",", ", "),
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - createdNanos), String.join("", rows(context)));
    }

    private static List<String> rows(CamelContext context) {
        List<String> rows = new ArrayList<>();
        boolean pages = Boolean.parseBoolean(StartChecks.setting(context, "COMMENTS_PAGES"));
        boolean reads = StartChecks.hasRole(context, StartChecks.READER);
        if (reads && pages) {
            rows.add(row("page", address(context, "HTTP") + "/"));
        }
        if (StartChecks.hasRole(context, StartChecks.SERVICE)) {
            String comments = address(context, "HTTP") + "/comments";
            rows.add(row("comments", comments));
            rows.add(row("try it", "curl -i %s -H 'Content-Type: application/json' -d '%s'".formatted(comments, EXAMPLE)));
        }
        if (reads || StartChecks.hasRole(context, StartChecks.SERVICE)) {
            rows.add(row("API", address(context, "HTTP") + (pages ? "/openapi" : "/openapi.json")));
        }
        rows.add(row("health", address(context, "MANAGEMENT") + "/observe/health"));
        rows.add(row("metrics", address(context, "MANAGEMENT") + "/observe/metrics"));
        return rows;
    }

    private static String row(String what, String where) {
        return "%n  %-10s%s".formatted(what, where);
    }

    private static String address(CamelContext context, String server) {
        String host = StartChecks.setting(context, server + "_HOST");
        boolean tls = server.equals("HTTP") && !StartChecks.setting(context, "HTTP_TLS_CERTIFICATE").isEmpty();
        return "%s://%s:%s".formatted(tls ? "https" : "http", host.equals("0.0.0.0") ? "localhost" : host,
                StartChecks.setting(context, server + "_PORT"));
    }
}
