package comments.page;

import comments.http.Problem;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.camel.CamelContext;
import org.apache.camel.CamelContextAware;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.support.ResourceHelper;

/**
 * Answers with the file of a path: the page, the description of the API, and the page to try it, which is Swagger UI from its
 * webjar. Each file is read at its first request. The headers allow a browser to load and run only files of this server.
 *
 * <p>All headers of the request are removed. Any number of threads may call it.
 */
public class WebFiles implements CamelContextAware, Processor {

    private static final String WEBJAR = "META-INF/maven/org.webjars/swagger-ui/pom.properties";
    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
            + " img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private record Source(String name, boolean ofWebjar, String mediaType) {
    }

    private static final Map<String, Source> FILES = Map.of(
            "/", new Source("page.html", false, "text/html; charset=utf-8"),
            "/page.css", new Source("page.css", false, "text/css; charset=utf-8"),
            "/page.mjs", new Source("page.mjs", false, "text/javascript; charset=utf-8"),
            "/openapi.json", new Source("openapi.json", false, "application/json"),
            "/openapi", new Source("openapi.html", false, "text/html; charset=utf-8"),
            "/openapi/page.mjs", new Source("openapi.mjs", false, "text/javascript; charset=utf-8"),
            "/openapi/swagger-ui-bundle.js", new Source("swagger-ui-bundle.js", true, "text/javascript; charset=utf-8"),
            "/openapi/swagger-ui.css", new Source("swagger-ui.css", true, "text/css; charset=utf-8"));

    private final Map<String, byte[]> contents = new HashMap<>();
    private CamelContext camelContext;

    @Override
    public void process(Exchange exchange) throws IOException {
        Message message = exchange.getMessage();
        String path = message.getHeader(Exchange.HTTP_PATH, "", String.class).replaceFirst("(?<=.)/$", "");
        Source source = FILES.get(path);
        message.removeHeaders("*");
        if (source == null) {
            Problem.write(message, 404, Problem.detail(404));
            return;
        }
        message.setHeader(Exchange.HTTP_RESPONSE_CODE, 200);
        message.setHeader(Exchange.CONTENT_TYPE, source.mediaType());
        message.setHeader("X-Content-Type-Options", "nosniff");
        if (!path.equals("/openapi.json")) {
            message.setHeader("Content-Security-Policy", POLICY);
            message.setHeader("Referrer-Policy", "no-referrer");
            message.setHeader("Cross-Origin-Opener-Policy", "same-origin");
            message.setHeader("Cross-Origin-Resource-Policy", "same-origin");
        }
        message.setBody(content(source));
    }

    private synchronized byte[] content(Source source) throws IOException {
        byte[] content = contents.get(source.name());
        if (content == null) {
            content = source.ofWebjar() ? ofWebjar(source.name())
                    : ofOurs(source.name());
            contents.put(source.name(), content);
        }
        return content;
    }

    private byte[] ofOurs(String name) throws IOException {
        try (InputStream file = ResourceHelper.resolveMandatoryResourceAsInputStream(camelContext, "classpath:web/" + name)) {
            return file.readAllBytes();
        }
    }

    // the folder of a webjar is named after its version
    private byte[] ofWebjar(String name) throws IOException {
        Properties webjar = new Properties();
        try (InputStream file = open(WEBJAR)) {
            webjar.load(file);
        }
        String folder = "META-INF/resources/webjars/swagger-ui/" + webjar.getProperty("version") + "/";
        try (InputStream file = open(folder + name)) {
            return file.readAllBytes();
        }
    }

    private InputStream open(String resource) {
        InputStream file = camelContext.getClassResolver().loadResourceAsStream(resource);
        if (file == null) {
            throw new UncheckedIOException(new FileNotFoundException(resource + " is not on the class path"));
        }
        return file;
    }

    @Override
    public void setCamelContext(CamelContext camelContext) {
        this.camelContext = camelContext;
    }

    @Override
    public CamelContext getCamelContext() {
        return camelContext;
    }
}
