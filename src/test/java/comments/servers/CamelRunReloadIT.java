package comments.servers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.support.CamelCli;
import comments.support.JarProcess;
import comments.support.PrivateServers;
import comments.support.TestPipeline;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code camel run --dev} reloads what it can, and refuses the rest. */
class CamelRunReloadIT {

    @RegisterExtension
    static final PrivateServers SERVERS = new PrivateServers();

    private static void assertThatItWorks(JarProcess pipeline) throws Exception {
        var answer = pipeline.post(TestPipeline.COMMENT);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
        String id = answer.body().replaceAll(".*\"id\":\"(.*)\".*", "$1");
        await().atMost(Duration.ofSeconds(30)).until(() -> pipeline.get("/comments/" + id).statusCode() == 200);
    }

    /** The routes of other files have its pools and connections, which a reload would close. */
    @Test
    void aChangeOfTheConnectionsIsRefused() throws Exception {
        try (CamelCli camel = CamelCli.install(new DefaultCamelContext().getVersion());
                JarProcess pipeline = camel.run(".", "camel run --dev --source-dir routes",
                        Map.of("RABBITMQ_URI", SERVERS.rabbitmq().uri(), "POSTGRES_URL", SERVERS.postgresql().url(),
                                "POSTGRES_USER", "postgres"))) {
            assertThatItWorks(pipeline);
            Path connections = camel.routes().resolve("connections.camel.yaml");
            String text = Files.readString(connections);
            Files.writeString(connections, text.replace("maximumPoolSize:", "minimumIdle: 1\n        maximumPoolSize:"));
            await().atMost(Duration.ofSeconds(30)).until(() -> pipeline.log().anyMatch(line -> line.contains(
                    "connections.camel.yaml can't be reloaded: end the process and start it again")));
            assertThatItWorks(pipeline);
            assertThat(pipeline.log()).noneMatch(line -> line.contains("\tat "));
        }
    }
}
