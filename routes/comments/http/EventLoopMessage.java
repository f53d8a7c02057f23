package comments.http;

import io.vertx.core.http.HttpServerRequest;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.component.platform.http.vertx.HttpMessage;
import org.apache.camel.util.CollectionHelper;

/** The message of a request on the event loop: its headers are copied when a step first needs them all. */
final class EventLoopMessage extends HttpMessage {

    private final String path;
    private final boolean admitted;
    private final byte[] keyHash;

    EventLoopMessage(Exchange exchange, HttpServerRequest request, String path, boolean admitted, byte[] keyHash) {
        super(exchange, request, request.response());
        this.path = path;
        this.admitted = admitted;
        this.keyHash = keyHash;
    }

    /** Whether an {@link HttpEngine.Admission} has admitted the request. */
    boolean isAdmitted() {
        return admitted;
    }

    /** The hash of the request's API key, or null: see {@link ApiKeys#hash}. */
    byte[] keyHash() {
        return keyHash;
    }

    @Override
    protected boolean isPopulateHeadersSupported() {
        return true;
    }

    @Override
    protected void populateInitialHeaders(Map<String, Object> headers) {
        HttpServerRequest request = getRequest();
        request.headers().forEach(header -> CollectionHelper.appendEntry(headers, header.getKey(), header.getValue()));
        headers.put(Exchange.HTTP_METHOD, request.method().name());
        headers.put(Exchange.HTTP_PATH, path);
        headers.put(Exchange.HTTP_URI, request.uri());
        headers.put(Exchange.HTTP_QUERY, request.query());
    }

    @Override
    public Object getHeader(String name) {
        return hasPopulatedHeaders() ? super.getHeader(name) : requestHeader(name);
    }

    @Override
    public <T> T getHeader(String name, Class<T> type) {
        if (hasPopulatedHeaders()) {
            return super.getHeader(name, type);
        }
        Object value = requestHeader(name);
        boolean isKnown = type.isInstance(value) || value == null && !hasPopulatedHeaders();
        return isKnown ? type.cast(value) : super.getHeader(name, type);
    }

    // The REST DSL reads the method, the content type and what is accepted of each request, and reads take their parameters from path and query.
    private Object requestHeader(String name) {
        return switch (name) {
            case Exchange.HTTP_METHOD -> getRequest().method().name();
            case Exchange.HTTP_PATH -> path;
            case Exchange.HTTP_QUERY -> getRequest().query();
            case Exchange.CONTENT_TYPE, "Accept" -> getRequest().getHeader(name);
            default -> super.getHeader(name);
        };
    }

    @Override
    public boolean removeHeaders(String pattern, String... excludePatterns) {
        if (!hasPopulatedHeaders() && pattern.equals("*") && excludePatterns == null) {
            setHeaders(getExchange().getContext().getCamelContextExtension().getHeadersMapFactory().newMap());
            return true;
        }
        return super.removeHeaders(pattern, excludePatterns);
    }
}
