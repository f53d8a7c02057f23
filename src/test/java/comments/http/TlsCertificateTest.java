package comments.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import comments.EmbeddedBroker;
import comments.settings.ConfigurationException;
import comments.settings.Settings;
import comments.settings.SettingsTest;
import comments.support.TestCertificate;
import comments.support.TestPipeline;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
                        "HTTP_EVENT_LOOPS", "3",
                        "HTTP_TLS_CERTIFICATE", first.certificateFile().toString(), "HTTP_TLS_KEY", first.keyFile().toString()));
                SSLSocket open = connect(first, pipeline.port())) {
            BigInteger serial = serial(open);

            // while the key is still the former one, so is the certificate
            Files.copy(second.certificateFile(), first.certificateFile(), StandardCopyOption.REPLACE_EXISTING);
            await().during(Duration.ofMillis(TlsCertificate.CHECK_MILLIS + 2_000)).atMost(CHECKED.plusSeconds(5)).until(() -> {
                try (SSLSocket next = connect(first, pipeline.port())) {
                    return serial(next).equals(serial);
                }
            });

            Files.copy(second.keyFile(), first.keyFile(), StandardCopyOption.REPLACE_EXISTING);
            await().atMost(CHECKED).ignoreExceptionsInstanceOf(IOException.class).until(() -> {
                try (SSLSocket next = connect(second, pipeline.port())) {
                    return !serial(next).equals(serial);
                }
            });
            // one on each event loop
            for (int i = 0; i < 3; i++) {
                try (SSLSocket next = connect(second, pipeline.port())) {
                    assertThat(serial(next)).isNotEqualTo(serial);
                }
            }
            assertThat(open.isClosed()).isFalse();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"EC", "RSA"})
    void aCertificateNeedsItsOwnKey(String algorithm) throws Exception {
        TestCertificate ours = TestCertificate.create(former, algorithm);
        TlsCertificate.check(ours.certificateFile().toString(), ours.keyFile().toString());
        for (String other : List.of("EC", "RSA")) {
            TestCertificate theirs = TestCertificate.create(Files.createTempDirectory(renewed, other), other);
            assertThatThrownBy(() -> TlsCertificate.check(ours.certificateFile().toString(), theirs.keyFile().toString()))
                    .as(algorithm + " " + other).hasMessageMatching("the key does not belong to the certificate"
                            + "|private key algorithm does not match algorithm of public key in end entity certificate.*");
        }
        Files.writeString(ours.certificateFile(), "-----BEGIN CERTIFICATE-----\n");
        assertThatThrownBy(() -> TlsCertificate.check(ours.certificateFile().toString(), ours.keyFile().toString()))
                .hasMessageContaining("Missing -----END CERTIFICATE-----");
    }

    @Test
    void aProcessDoesNotStartWithTheKeyOfAnotherCertificate() throws Exception {
        Properties settings = SettingsTest.defaults();
        settings.setProperty("HTTP_TLS_CERTIFICATE", TestCertificate.create(former).certificateFile().toString());
        settings.setProperty("HTTP_TLS_KEY", TestCertificate.create(renewed).keyFile().toString());
        assertThatThrownBy(() -> Settings.check(settings::getProperty)).isInstanceOf(ConfigurationException.class)
                .hasMessageStartingWith("HTTP_TLS_CERTIFICATE=").hasMessageEndingWith("can't be used: the key does not belong to the certificate");
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
