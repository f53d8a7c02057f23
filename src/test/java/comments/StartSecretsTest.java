package comments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import comments.support.JarProcess;
import comments.support.TestCertificate;
import java.nio.file.Path;
import java.util.Map;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What must be set in a process before any part of it is used: so each test starts one. */
class StartSecretsTest {

    private static final String MAIN = "comments.CommentPipeline";

    /** The driver warns of it, with the URL. */
    @Test
    void aDatabaseUrlThatCanNotBeParsedIsNotShown() throws Exception {
        try (JarProcess process = JarProcess.launchClass(MAIN, Map.of("RABBITMQ_URI", "amqp://ann:secret@127.0.0.1:1",
                "POSTGRES_URL", "jdbc:postgresql://localhost?user=ann&password=secret"))) {
            assertThat(process.awaitEnd()).isEqualTo(1);
            assertThat(process.log()).hasSize(1).allMatch(line -> line.startsWith("comment-service: POSTGRES_URL=… must be jdbc:postgresql://"));
        }
    }

    @Test
    void aClientCanNotStartTlsHandshakesAnew(@TempDir Path folder) throws Exception {
        TestCertificate certificate = TestCertificate.create(folder);
        try (EmbeddedBroker broker = EmbeddedBroker.startInMemory();
                JarProcess process = JarProcess.launchClass(MAIN, Map.of("RABBITMQ_URI", broker.uri(), "COMMENTS_ROLES", "comment-service",
                        "HTTP_TLS_CERTIFICATE", certificate.certificateFile().toString(),
                        "HTTP_TLS_KEY", certificate.keyFile().toString())).awaitReady();
                SSLSocket client = (SSLSocket) certificate.clientContext().getSocketFactory()
                        .createSocket("localhost", process.uri("/").getPort())) {
            client.setSoTimeout(10_000);
            client.setEnabledProtocols(new String[] {"TLSv1.2"});
            client.startHandshake();
            assertThatThrownBy(() -> {
                client.startHandshake();
                client.getInputStream().read();
            }).isInstanceOf(SSLException.class).hasMessageContaining("handshake_failure");
        }
    }
}
