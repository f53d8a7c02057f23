package comments.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.EmbeddedBroker;
import comments.http.ClientLimits.Resource;
import comments.support.TestCertificate;
import comments.support.TestPipeline;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients of HTTP/1 over TLS that take their time. */
class TlsLimitsTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(2);

    @TempDir
    static Path folder;

    private static EmbeddedBroker broker;
    private static TestPipeline pipeline;
    private static TestCertificate certificate;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        certificate = TestCertificate.create(folder);
        pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "COMMENTS_ROLES", "comment-service",
                "HTTP_CLIENT_TIMEOUT", Long.toString(TIMEOUT.toMillis()), "HTTP_TLS_KEY", certificate.keyFile().toString(),
                "HTTP_TLS_CERTIFICATE", certificate.certificateFile().toString()));
    }

    @AfterAll
    static void stop() {
        pipeline.close();
        broker.close();
    }

    private static SSLSocket connect() throws Exception {
        SSLSocket socket = (SSLSocket) certificate.clientContext().getSocketFactory().createSocket("127.0.0.1", pipeline.port());
        socket.setSoTimeout((int) TIMEOUT.multipliedBy(4).toMillis());
        socket.startHandshake();
        return socket;
    }

    private static long held(Resource resource) {
        return ServerLimits.of(pipeline).held(resource);
    }

    private static void send(SSLSocket socket, String text) throws Exception {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    }

    /** It is kept for HTTP_IDLE_TIMEOUT, as one without TLS, before its first request and after it. */
    @Test
    void anIdleConnectionIsKeptAndHoldsNoPlace() throws Exception {
        try (SSLSocket idle = connect()) {
            BufferedReader reader = new BufferedReader(new InputStreamReader(idle.getInputStream(), StandardCharsets.US_ASCII));
            for (int i = 0; i < 2; i++) {
                await().during(TIMEOUT.multipliedBy(2)).atMost(TIMEOUT.multipliedBy(3)).until(() -> held(Resource.UNHANDLED) == 0);
                send(idle, "HEAD /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n");
                assertThat(reader.readLine()).isEqualTo("HTTP/1.1 200 OK");
                String line = reader.readLine();
                while (!line.isEmpty()) {
                    line = reader.readLine();
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n"})
    void headersThatDoNotEndHoldAPlaceUntilTheConnectionIsClosed(String begin) throws Exception {
        try (SSLSocket slow = connect()) {
            send(slow, begin);
            await().until(() -> held(Resource.UNHANDLED) == 1);
            assertThat(slow.getInputStream().read()).isNegative();
            await().until(() -> held(Resource.UNHANDLED) == 0);
        }
    }
}
