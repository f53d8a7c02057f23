package comments;

import java.nio.charset.StandardCharsets;
import org.apache.camel.CamelContext;
import org.apache.camel.CamelContextAware;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;

/**
 * Answers with a file of the page, which lies beside the routes. Its headers let a browser load nothing but from here, and run
 * nothing that isn't a file of ours. All headers of the request are removed.
 */
public class PageFile implements CamelContextAware, Processor {

    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
            + " img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private CamelContext camelContext;
    private byte[] content;
    private String mediaType;

    /** The file's name. It is read now. */
    public void setName(String name) {
        content = SqlFile.read(camelContext, name).getBytes(StandardCharsets.UTF_8);
    }

    /** What it is, such as {@code text/html}; its text is in UTF-8. */
    public void setMediaType(String mediaType) {
        this.mediaType = mediaType;
    }

    @Override
    public void process(Exchange exchange) {
        Message message = exchange.getMessage();
        message.removeHeaders("*");
        message.setHeader(Exchange.HTTP_RESPONSE_CODE, 200);
        message.setHeader(Exchange.CONTENT_TYPE, mediaType + "; charset=utf-8");
        message.setHeader("Content-Security-Policy", POLICY);
        message.setHeader("X-Content-Type-Options", "nosniff");
        message.setHeader("Referrer-Policy", "no-referrer");
        message.setHeader("Cross-Origin-Opener-Policy", "same-origin");
        message.setHeader("Cross-Origin-Resource-Policy", "same-origin");
        message.setBody(content);
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
