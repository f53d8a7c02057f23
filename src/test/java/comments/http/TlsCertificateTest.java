package comments.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.EmbeddedBroker;
import comments.support.TestCertificate;
import comments.support.TestPipeline;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Map;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TlsCertificateTest {

    private static final Duration CHECKED = Duration.ofMillis(2 * TlsCertificate.CHECK_MILLIS);

    @TempDir
    Path former;

    @TempDir
    Path renewed;

    @Test
    void newConnectionsGetARenewedCertificate() throws Exception {
        TestCertificate first = TestCertificate.create(former);
        TestCertificate second = TestCertificate.create(renewed);
        try (EmbeddedBroker broker = EmbeddedBroker.startInMemory();
                TestPipeline pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "COMMENTS_ROLES", "comment-service",
                        "HTTP_TLS_CERTIFICATE", first.certificateFile().toString(), "HTTP_TLS_KEY", first.keyFile().toString()));
                SSLSocket open = connect(first, pipeline.port())) {
            BigInteger serial = serial(open);

            // while a certificate is half written, the former one stays
            Files.writeString(first.certificateFile(), "-----BEGIN CERTIFICATE-----\n");
            await().during(Duration.ofMillis(TlsCertificate.CHECK_MILLIS + 2_000)).atMost(CHECKED.plusSeconds(5)).until(() -> {
                try (SSLSocket next = connect(first, pipeline.port())) {
                    return serial(next).equals(serial);
                }
            });

            Files.copy(second.certificateFile(), first.certificateFile(), StandardCopyOption.REPLACE_EXISTING);
            Files.copy(second.keyFile(), first.keyFile(), StandardCopyOption.REPLACE_EXISTING);
            await().atMost(CHECKED).ignoreExceptionsInstanceOf(IOException.class).until(() -> {
                try (SSLSocket next = connect(second, pipeline.port())) {
                    return !serial(next).equals(serial);
                }
            });
            assertThat(open.isClosed()).isFalse();
        }
    }

    private static SSLSocket connect(TestCertificate trusted, int port) throws Exception {
        SSLSocket socket = (SSLSocket) trusted.clientContext().getSocketFactory().createSocket("127.0.0.1", port);
        socket.startHandshake();
        return socket;
    }

    private static BigInteger serial(SSLSocket socket) throws IOException {
        return ((X509Certificate) socket.getSession().getPeerCertificates()[0]).getSerialNumber();
    }
}
