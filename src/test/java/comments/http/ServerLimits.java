package comments.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.http.ClientLimits.Resource;
import comments.support.TestPipeline;

/** The limits of a running HTTP server. */
final class ServerLimits {

    private ServerLimits() {
    }

    static ClientLimits of(TestPipeline server) {
        return server.bean("platform-http-engine", HttpEngine.class).connections().limits();
    }

    /** Waits until all that clients held is given back. */
    static void awaitNothingHeld(TestPipeline server) {
        for (Resource resource : Resource.values()) {
            await().untilAsserted(() -> assertThat(of(server).held(resource)).as(resource.name()).isZero());
        }
    }
}
