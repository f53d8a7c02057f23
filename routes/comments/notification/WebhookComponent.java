package comments.notification;

import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.Endpoint;
import org.apache.camel.component.http.HttpComponent;
import org.apache.camel.component.http.HttpEndpoint;
import org.apache.hc.client5.http.SystemDefaultDnsResolver;
import org.apache.hc.client5.http.classic.ExecChain;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.impl.io.ManagedHttpClientConnectionFactory;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.io.HttpClientConnectionManager;
import org.apache.hc.client5.http.socket.ConnectionSocketFactory;
import org.apache.hc.core5.concurrent.Cancellable;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http.config.Registry;
import org.apache.hc.core5.http.io.SocketConfig;
import org.apache.hc.core5.pool.PoolConcurrencyPolicy;
import org.apache.hc.core5.pool.PoolReusePolicy;
import org.apache.hc.core5.util.TimeValue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Camel's HTTP component for a receiver that is not trusted. An attempt has one deadline, from connecting to the end of the
 * answer. Of the answer's body at most 16 KiB are read, and none is kept. It may have 100 headers, of 8 KiB each; an answer with more fails
 * the attempt. The status is in the header {@code CamelHttpResponseCode}, whatever it is.
 *
 * <p>A connection goes to a public address only. The address is checked when the connection is made, so a name that changes its
 * address between two look-ups does not help.
 *
 * <p>Any number of threads may push.
 */
public class WebhookComponent extends HttpComponent {

    /** A host has an address of this machine or of a private network. */
    static final class PrivateAddressException extends UnknownHostException {

        private static final long serialVersionUID = 1L;

        PrivateAddressException(String message) {
            super(message);
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(WebhookComponent.class);
    private static final int MAX_BODY = 16 << 10;
    private static final Http1Config LIMITS = Http1Config.custom().setMaxHeaderCount(100).setMaxLineLength(8 << 10).build();

    private final PrivateAddresses refused = new PrivateAddresses(PrivateAddresses::isOfThisMachine);
    private final AtomicBoolean refusing = new AtomicBoolean();
    private ScheduledExecutorService deadlines;
    private String address;
    private boolean privateAddresses;
    private long pushTimeout;

    /** The URL of the receiver. The name of an endpoint does not matter. */
    public void setAddress(String address) {
        this.address = address;
    }

    /** Whether addresses of this machine and of private networks are allowed. */
    public void setPrivateAddresses(boolean privateAddresses) {
        this.privateAddresses = privateAddresses;
    }

    /** How long an attempt may take, in milliseconds. */
    public void setPushTimeout(long pushTimeout) {
        this.pushTimeout = pushTimeout;
        setConnectTimeout(pushTimeout);
        setConnectionRequestTimeout(pushTimeout);
        setResponseTimeout(pushTimeout);
    }

    @Override
    public void doStart() throws Exception {
        super.doStart();
        deadlines = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "push-deadlines");
            thread.setDaemon(true);
            return thread;
        });
    }

    @Override
    public void doStop() throws Exception {
        deadlines.shutdownNow();
        super.doStop();
    }

    @Override
    protected Endpoint createEndpoint(String uri, String remaining, Map<String, Object> parameters) throws Exception {
        parameters.put("httpMethod", "POST");
        parameters.put("throwExceptionOnFailure", "false");
        if (!address.startsWith("http")) {
            // nothing is pushed over HTTP
            return super.createEndpoint(uri, remaining, parameters);
        }
        URI exact = URI.create(address);
        HttpEndpoint endpoint = (HttpEndpoint) super.createEndpoint(uri, exact.getScheme() + "://" + exact.getRawAuthority(), parameters);
        // Camel would decode the query, and encode it in another way; and no log or health check shows a secret in it now
        endpoint.setHttpUri(exact);
        return endpoint;
    }

    @Override
    protected HttpClientBuilder createHttpClientBuilder(String uri, Map<String, Object> parameters, Map<String, Object> options) {
        return super.createHttpClientBuilder(uri, parameters, options).addExecInterceptorFirst("bounds", this::execute);
    }

    @Override
    protected HttpClientConnectionManager createConnectionManager(Registry<ConnectionSocketFactory> registry, int maxTotal,
            int maxPerRoute, SocketConfig socket) {
        PoolingHttpClientConnectionManager manager = new PoolingHttpClientConnectionManager(registry, PoolConcurrencyPolicy.STRICT,
                PoolReusePolicy.LIFO, TimeValue.ofMilliseconds(getConnectionTimeToLive()), null, new SystemDefaultDnsResolver() {
                    @Override
                    public InetAddress[] resolve(String host) throws UnknownHostException {
                        return allowed(host, super.resolve(host));
                    }
                }, ManagedHttpClientConnectionFactory.builder().http1Config(LIMITS).build());
        manager.setDefaultSocketConfig(socket);
        return manager;
    }

    private ClassicHttpResponse execute(ClassicHttpRequest request, ExecChain.Scope scope, ExecChain chain)
            throws IOException, HttpException {
        Future<?> deadline = deadlines.schedule(() -> ((Cancellable) scope.originalRequest).cancel(), pushTimeout, TimeUnit.MILLISECONDS);
        try {
            ClassicHttpResponse response = chain.proceed(request, scope);
            discard(response.getEntity(), scope);
            response.setEntity(null);
            return response;
        } finally {
            deadline.cancel(false);
        }
    }

    // A connection can be used again only after a body that was read to its end.
    private static void discard(HttpEntity body, ExecChain.Scope scope) throws IOException {
        if (body != null && body.getContent().readNBytes(MAX_BODY).length == MAX_BODY) {
            scope.execRuntime.discardEndpoint();
        }
    }

    private InetAddress[] allowed(String host, InetAddress[] addresses) throws UnknownHostException {
        if (!privateAddresses && Arrays.stream(addresses).anyMatch(refused::contains)) {
            String message = "Pushes are refused: NOTIFICATIONS_PUSH_ENDPOINT has an address of this machine or of a private network,"
                    + " and NOTIFICATIONS_PUSH_PRIVATE is false";
            if (!refusing.getAndSet(true)) {
                LOG.warn(message);
            }
            throw new PrivateAddressException(message);
        }
        refusing.set(false);
        return addresses;
    }
}
