package comments.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.EmbeddedBroker;
import comments.support.Http2Connection;
import comments.support.TestCertificate;
import comments.support.TestPipeline;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How clients of HTTP/2 are asked to use other connections, before a process ends. */
class RetireTest {

    private static void head(Http2Connection connection, int stream) throws Exception {
        connection.headers(stream, true, ":method", "HEAD", ":scheme", "https", ":authority", "a", ":path", "/none");
        assertThat(connection.answerOrEnd(stream)).isTrue();
        // this client takes no body
        connection.reset(stream);
    }

    @Test
    void aConnectionIsClosedAfterItsNextAnswerAndNoRequestFails(@TempDir Path folder) throws Exception {
        TestCertificate certificate = TestCertificate.create(folder);
        try (EmbeddedBroker broker = EmbeddedBroker.startInMemory();
                TestPipeline pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "COMMENTS_ROLES", "comment-service",
                        "HTTP_TLS_CERTIFICATE", certificate.certificateFile().toString(),
                        "HTTP_TLS_KEY", certificate.keyFile().toString()));
                Http2Connection connection = Http2Connection.open("127.0.0.1", pipeline.port())) {
            HttpClient client = HttpClient.newBuilder().sslContext(certificate.clientContext()).build();
            HttpRequest post = HttpRequest.newBuilder(URI.create("https://localhost:" + pipeline.port() + "/comments"))
                    .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(TestPipeline.COMMENT)).build();
            assertThat(client.send(post, BodyHandlers.ofString()).version()).isEqualTo(HttpClient.Version.HTTP_2);
            head(connection, 1);
            assertThat(connection.isClosed()).isFalse();
            pipeline.bean("platform-http-engine", HttpEngine.class).retire();
            head(connection, 3);
            await().until(connection::isClosed);
            for (int i = 0; i < 10; i++) {
                HttpResponse<String> answer = client.send(post, BodyHandlers.ofString());
                assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
            }
        }
    }
}
