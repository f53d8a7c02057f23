package comments.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.EmbeddedBroker;
import comments.support.Http2Connection;
import comments.support.TestCertificate;
import comments.support.TestPipeline;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.net.impl.ConnectionBase;
import java.lang.reflect.Field;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a client of HTTP/2, which takes no bodies, is asked to use another connection before a process ends. */
class RetireTest {

    private static void head(Http2Connection connection, int stream) throws Exception {
        connection.headers(stream, true, ":method", "HEAD", ":scheme", "https", ":authority", "a", ":path", "/none");
        assertThat(connection.answerOrEnd(stream)).isTrue();
    }

    @SuppressWarnings("unchecked")
    private static int listeners(TestPipeline pipeline) throws Exception {
        Object connections = pipeline.bean("platform-http-engine", HttpEngine.class).connections();
        Map<HttpConnection, ?> open = (Map<HttpConnection, ?>) get(connections, "open");
        ConnectionBase connection = (ConnectionBase) open.keySet().iterator().next();
        Http2ConnectionHandler handler = (Http2ConnectionHandler) connection.channelHandlerContext().handler();
        return ((List<?>) get(handler.connection(), "listeners")).size();
    }

    private static Object get(Object object, String name) throws ReflectiveOperationException {
        Field field = object.getClass().getDeclaredField(name);
        field.setAccessible(true);
        return field.get(object);
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
            int listeners = listeners(pipeline);
            for (int stream = 7; stream < 107; stream += 2) {
                head(connection, stream);
                connection.reset(stream);
            }
            assertThat(connection.isClosed()).isFalse();
            assertThat(listeners(pipeline)).as("a busy connection has no more than before").isEqualTo(listeners);
        }
    }
}
