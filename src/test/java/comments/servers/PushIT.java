package comments.servers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import comments.support.JarProcess;
import comments.support.Ports;
import comments.support.PrivateServers;
import comments.support.TestCertificate;
import comments.support.TestPipeline;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The packaged application pushes over HTTPS, and to the example of a receiver. */
class PushIT {

    @RegisterExtension
    static final PrivateServers SERVERS = PrivateServers.unprepared();

    private static final String SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    @Test
    void theJarPushesToAReceiverWhoseCertificateItTrusts() throws Exception {
        TestCertificate certificate = TestCertificate.create(folder);
        HttpsServer receiver = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        receiver.setHttpsConfigurator(new HttpsConfigurator(certificate.serverContext()));
        List<String> bodies = new CopyOnWriteArrayList<>();
        receiver.createContext("/", exchange -> {
            bodies.add(new String(exchange.getRequestBody().readAllBytes(), UTF_8));
            exchange.sendResponseHeaders(204, -1);
        });
        receiver.start();
        try {
            String endpoint = "https://localhost:" + receiver.getAddress().getPort() + "/T0P-SECRET";
            JarProcess untrusting = SERVERS.start(JarProcess.java(JarProcess.PACKAGED), PrivateServers.ALL,
                    "NOTIFICATIONS_PUSH_ENDPOINT", endpoint, "NOTIFICATIONS_PUSH_PRIVATE", true);
            String id = untrusting.post(TestPipeline.COMMENT).headers().firstValue("Location").orElseThrow().substring("/comments/".length());
            await().atMost(PATIENCE).until(() -> untrusting.observe("health").contains("SSLHandshakeException"));
            assertThat(bodies).isEmpty();
            assertThat(untrusting.log()).noneMatch(line -> line.contains("T0P-SECRET"));
            untrusting.close();
            List<String> arguments = new ArrayList<>(JarProcess.PACKAGED);
            arguments.addAll(0, List.of("-Djavax.net.ssl.trustStore=" + certificate.trustStore(),
                    "-Djavax.net.ssl.trustStorePassword=" + certificate.password()));
            SERVERS.start(JarProcess.java(arguments), PrivateServers.ALL,
                    "NOTIFICATIONS_PUSH_ENDPOINT", endpoint, "NOTIFICATIONS_PUSH_PRIVATE", true);
            await().atMost(PATIENCE).until(() -> bodies.stream().anyMatch(body -> body.contains(id)));
        } finally {
            receiver.stop(0);
        }
    }

    /** The example that docs/operations.md names. */
    @Test
    void theExampleReceiverTakesGenuinePushesOnly() throws Exception {
        int port = Ports.find();
        Path printed = folder.resolve("printed.txt");
        ProcessBuilder command = JarProcess.java(List.of("src/examples/java/WebhookReceiver.java", Integer.toString(port)))
                .redirectErrorStream(true).redirectOutput(printed.toFile());
        command.environment().put("NOTIFICATIONS_PUSH_SECRET", SECRET);
        Process receiver = command.start();
        try {
            await().atMost(PATIENCE).until(() -> Files.readString(printed).contains("Receives pushes"));
            String endpoint = "http://127.0.0.1:" + port + "/";
            JarProcess forger = SERVERS.start(JarProcess.java(JarProcess.PACKAGED), PrivateServers.ALL, "NOTIFICATIONS_PUSH_ENDPOINT", endpoint,
                    "NOTIFICATIONS_PUSH_PRIVATE", true, "NOTIFICATIONS_PUSH_SECRET", "whsec_" + "A".repeat(32));
            String id = forger.post(TestPipeline.COMMENT).headers().firstValue("Location").orElseThrow().substring("/comments/".length());
            await().atMost(PATIENCE).until(() -> forger.observe("health").contains("HTTP 503"));
            assertThat(Files.readString(printed)).doesNotContain(id);
            forger.close();
            SERVERS.start(JarProcess.java(JarProcess.PACKAGED), PrivateServers.ALL, "NOTIFICATIONS_PUSH_ENDPOINT", endpoint,
                    "NOTIFICATIONS_PUSH_PRIVATE", true, "NOTIFICATIONS_PUSH_SECRET", SECRET);
            await().atMost(PATIENCE).until(() -> Files.readString(printed).contains(id));
        } finally {
            receiver.destroyForcibly();
        }
    }
}
