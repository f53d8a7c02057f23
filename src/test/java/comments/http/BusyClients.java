package comments.http;

import static org.awaitility.Awaitility.await;

import comments.http.ClientLimits.Client;
import comments.http.ClientLimits.Resource;
import comments.support.TestPipeline;
import io.vertx.core.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;

/** Clients that hold all that they may of the HTTP server, for tests of other packages. */
public final class BusyClients implements AutoCloseable {

    private record Held(Client client, long number) {
    }

    private final List<Held> held = new ArrayList<>();
    private final ClientLimits limits;
    private final Resource resource;

    private BusyClients(TestPipeline server, Resource resource, String... addresses) {
        limits = ServerLimits.of(server);
        this.resource = resource;
        // an answer can arrive before it counts no longer
        await().until(() -> limits.held(resource) == 0);
        for (String address : addresses) {
            fill(limits.of(SocketAddress.inetSocketAddress(4711, address)));
        }
    }

    /** Clients whose reads are not answered. */
    public static BusyClients reading(TestPipeline server, String... addresses) {
        return new BusyClients(server, Resource.READS, addresses);
    }

    /** Clients whose bodies are not complete. */
    public static BusyClients sending(TestPipeline server, String... addresses) {
        return new BusyClients(server, Resource.BYTES, addresses);
    }

    private void fill(Client client) {
        for (long step = 1L << 40; step > 0; step /= 2) {
            while (limits.take(client, resource, step) == 0) {
                held.add(new Held(client, step));
            }
        }
    }

    @Override
    public void close() {
        held.forEach(each -> limits.give(each.client(), resource, each.number()));
    }
}
