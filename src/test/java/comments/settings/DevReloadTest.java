package comments.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.RouteOnDemandReloadStrategy;
import org.apache.camel.support.RouteWatcherReloadStrategy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DevReloadTest {

    /** The Camel CLI has both strategies. */
    @Test
    void filesOfRoutesAreReloadedAndTheConnectionsAreNot(@TempDir Path folder) throws Exception {
        List<String> reloaded = new CopyOnWriteArrayList<>();
        try (DefaultCamelContext context = new DefaultCamelContext()) {
            context.addService(new RouteOnDemandReloadStrategy(folder.toString(), true));
            RouteWatcherReloadStrategy watcher = new RouteWatcherReloadStrategy(folder.toString(), true);
            watcher.setResourceReload((name, resource) -> reloaded.add(Path.of(name).getFileName().toString()));
            context.addService(watcher);
            DevReload.limit(context);
            context.start();
            Files.writeString(folder.resolve("connections.camel.yaml"), "");
            Files.writeString(folder.resolve("comment-reader.camel.yaml"), "");
            await().until(() -> !reloaded.isEmpty());
            assertThat(reloaded).containsOnly("comment-reader.camel.yaml");
        }
    }
}
