package comments.http;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.LoadingCache;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.SocketAddress;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * What all clients together, and each client by its address, hold of the process: connections, requests, bytes.
 * A client has a share of each limit, so that others are served beside it.
 *
 * <p>Any number of threads may call it. Counting allocates nothing.
 */
final class ClientLimits {

    /** What is limited. */
    enum Resource {
        /** Open connections. */
        CONNECTIONS,
        /** HTTP/1 connections with unfinished headers, or with requests that follow an unanswered one. */
        UNHANDLED,
        /** Requests of HTTP/2 whose streams are open: they are not complete, or their answers are not sent. */
        STREAMS,
        /** Posts, changes and requests of streams that are not answered. */
        REQUESTS,
        /** Reads that are not answered, on the event loop or by a worker. */
        READS,
        /** Bytes of bodies that are not complete, and of large answers that are not sent. */
        BYTES
    }

    /** A client. It lives as long as a connection or a request refers to it. */
    static final class Client {

        private final AtomicLongArray held = new AtomicLongArray(Resource.values().length);
        private final String address;
        private final boolean proxy;

        private Client(String address, boolean proxy) {
            this.address = address;
            this.proxy = proxy;
        }

        /** Its address, as {@link ClientAddress} has it. */
        String address() {
            return address;
        }
    }

    private static final long NO_LIMIT = Long.MAX_VALUE;

    private final ClientAddress addresses;
    private final int share;
    private final LoadingCache<String, Client> clients = Caffeine.newBuilder().weakValues().build(address -> new Client(address, false));
    private final Client proxies = new Client("", true);
    private final AtomicLongArray held = new AtomicLongArray(Resource.values().length);
    private final long[] limits = new long[Resource.values().length];
    private final long[] clientLimits = new long[Resource.values().length];

    /**
     * Limits nothing yet.
     *
     * @param share what one client may hold of each limit, in percent; 100 for no limit of its own
     */
    ClientLimits(ClientAddress addresses, int share) {
        this.addresses = addresses;
        this.share = share;
        for (Resource resource : Resource.values()) {
            limit(resource, NO_LIMIT, 1);
        }
    }

    /**
     * Sets a limit.
     *
     * @param least what a client may hold at least, whatever its share is
     */
    void limit(Resource resource, long limit, long least) {
        limits[resource.ordinal()] = limit;
        clientLimits[resource.ordinal()] =
                share == 100 || limit == NO_LIMIT ? NO_LIMIT : Math.max(least, limit / 100 * share + limit % 100 * share / 100);
    }

    /** Lets the process hold any number, and a client its share of another number, which is limited elsewhere. */
    void limitShare(Resource resource, long number) {
        limit(resource, number, 1);
        limits[resource.ordinal()] = NO_LIMIT;
    }

    /** The client of a connection. A trusted proxy has no limits, because it connects for many clients. */
    Client of(SocketAddress connection) {
        return addresses.isProxy(connection) ? proxies : clients.get(ClientAddress.of(connection));
    }

    /** The client of a request. */
    Client of(HttpServerRequest request, Client connected) {
        return connected.proxy ? clients.get(addresses.of(request)) : connected;
    }

    /**
     * Counts what a client takes, unless a limit is exceeded.
     *
     * @return 0, or the status to refuse it with: 503 for the limit of the process, 429 for that of the client
     */
    int take(Client client, Resource resource, long number) {
        int i = resource.ordinal();
        // counted first: another event loop may take at the same time
        boolean full = held.addAndGet(i, number) > limits[i];
        boolean share = client.held.addAndGet(i, number) > clientLimits[i] && !client.proxy;
        if (full || share) {
            give(client, resource, number);
        }
        return full ? 503 : share ? 429 : 0;
    }

    /** Like {@link #take}, but counts nothing. What is more than a limit alone is no excess while nothing else is held: else it never could be. */
    int excess(Client client, Resource resource, long number) {
        int i = resource.ordinal();
        return isExcess(held.get(i), number, limits[i]) ? 503
                : !client.proxy && isExcess(client.held.get(i), number, clientLimits[i]) ? 429 : 0;
    }

    private static boolean isExcess(long held, long number, long limit) {
        return held > 0 && held + number > limit;
    }

    /** Gives back what a client took; a negative number is taken without a limit. */
    void give(Client client, Resource resource, long number) {
        held.addAndGet(resource.ordinal(), -number);
        client.held.addAndGet(resource.ordinal(), -number);
    }

    /** What all clients hold. */
    long held(Resource resource) {
        return held.get(resource.ordinal());
    }
}
