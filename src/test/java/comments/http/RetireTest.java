package comments.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.EmbeddedBroker;
import comments.support.Http2Connection;
import comments.support.TestCertificate;
import comments.support.TestPipeline;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a client of HTTP/2, which takes no bodies, is asked to use another connection before a process ends. */
class RetireTest {

    private static void head(Http2Connection connection, int stream) throws Exception {
        connection.headers(stream, true, ":method", "HEAD", ":scheme", "https", ":authority", "a", ":path", "/none");
        assertThat(connection.answerOrEnd(stream)).isTrue();
    }

    @Test
    void itIsAskedToLeaveWhenItsRequestsAreAnsweredAndIsServedUntilThen(@TempDir Path folder) throws Exception {
        TestCertificate certificate = TestCertificate.create(folder);
        try (EmbeddedBroker broker = EmbeddedBroker.startInMemory();
                TestPipeline pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "COMMENTS_ROLES", "comment-service",
                        "HTTP_TLS_CERTIFICATE", certificate.certificateFile().toString(),
                        "HTTP_TLS_KEY", certificate.keyFile().toString()));
                Http2Connection connection = Http2Connection.open("127.0.0.1", pipeline.port())) {
            head(connection, 1);
            connection.reset(1);
            pipeline.bean("platform-http-engine", HttpEngine.class).retire();
            // two at once: with the first answer, the second is owed
            connection.open(3, ":method", "POST", ":scheme", "https", ":authority", "a", ":path", "/comments");
            head(connection, 5);
            connection.reset(5);
            assertThat(connection.isAskedToLeave()).isFalse();
            connection.reset(3);
            await().until(connection::isAskedToLeave);
            head(connection, 7);
            assertThat(connection.isClosed()).isFalse();
        }
    }
}
