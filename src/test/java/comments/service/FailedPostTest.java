package comments.service;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import comments.http.ProblemResponse;
import io.micrometer.core.instrument.Metrics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.concurrent.RejectedExecutionException;
import org.apache.camel.EndpointInject;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.main.MainConfigurationProperties;
import org.apache.camel.test.main.junit5.CamelMainTest;
import org.apache.camel.test.main.junit5.Configure;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import org.springframework.amqp.AmqpConnectException;

/** Posts that fail after they were admitted: by the broker, or by an exception of our own. */
@CamelMainTest(replaceRouteFromWith = {"comment-service=direct:post", "comment-service-edit=direct:edit",
        "comment-service-erase=direct:erase", "comment-service-erase-user=direct:erase-user"}, mockEndpointsAndSkip = "spring-rabbitmq:*",
        properties = {"COMMENTS_ROLES=comment-service", "camel.metrics.enabled=false", "camel.management.enabled=false"})
class FailedPostTest {

    private static final String COMMENT = """
            {"postId":"p","userId":"u","userName":"Ann","content":"Hi"}""";

    @EndpointInject("mock:spring-rabbitmq:default")
    private MockEndpoint comments;

    @EndpointInject("direct:post")
    private ProducerTemplate post;

    private final Logger logger = (Logger) LoggerFactory.getLogger(ProblemResponse.class);
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

    @Configure
    void routes(MainConfigurationProperties configuration) {
        configuration.withRoutesIncludePattern("classpath:connections.camel.yaml,classpath:errors.camel.yaml,classpath:comment-service.camel.yaml");
    }

    @BeforeEach
    void listen() {
        comments.reset();
        log.start();
        logger.addAppender(log);
        logger.setLevel(Level.WARN);
        Metrics.addRegistry(meters);
    }

    @AfterEach
    void stopListening() {
        Metrics.removeRegistry(meters);
        logger.detachAppender(log);
        logger.setLevel(null);
    }

    private void assertThatItIsNotPromised() {
        Exchange exchange = post.request("direct:post", request -> {
            request.getMessage().setHeader("Content-Type", "application/json");
            request.getMessage().setBody(COMMENT);
        });
        assertThat(exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE)).isEqualTo(503);
        assertThat(exchange.getMessage().getHeader("Retry-After")).isEqualTo(1);
        assertThat(exchange.getMessage().getBody(String.class)).contains("Nothing is promised.");
    }

    private double refused(String reason) {
        return meters.get("comments.refused").tag("reason", reason).counter().count();
    }

    private static void fail() {
        throw new IllegalStateException("a mistake");
    }

    private static void failElsewhere() {
        throw new IllegalStateException("another mistake");
    }

    @Test
    void eachKindOfOurOwnExceptionIsLoggedOnceWithItsStackTrace() {
        comments.whenAnyExchangeReceived(exchange -> fail());
        for (int i = 0; i < 5; i++) {
            assertThatItIsNotPromised();
        }
        comments.whenAnyExchangeReceived(exchange -> failElsewhere());
        for (int i = 0; i < 5; i++) {
            assertThatItIsNotPromised();
        }
        assertThat(log.list).extracting(ILoggingEvent::getLevel).containsExactly(Level.ERROR, Level.ERROR);
        assertThat(log.list).extracting(event -> event.getThrowableProxy().getMessage()).containsExactly("a mistake", "another mistake");
        assertThat(log.list.get(0).getThrowableProxy().getStackTraceElementProxyArray()[0].getStackTraceElement().getMethodName())
                .isEqualTo("fail");
        assertThat(refused("failed")).isEqualTo(10);
        assertThat(refused("unconfirmed")).isZero();
    }

    @Test
    void aBrokerThatDoesNotConfirmIsNotLoggedForEachPost() {
        comments.whenAnyExchangeReceived(exchange -> {
            throw new AmqpConnectException(new java.net.ConnectException("away"));
        });
        assertThatItIsNotPromised();
        assertThat(log.list).isEmpty();
        assertThat(refused("unconfirmed")).isEqualTo(1);
        assertThat(refused("failed")).isZero();
    }

    @Test
    void aRejectionWhileAGroupIsPublishedIsNoProofThatItIsNotPublished() {
        comments.whenAnyExchangeReceived(exchange -> {
            throw new AmqpConnectException(new RuntimeException(new RejectedExecutionException("an executor has ended")));
        });
        assertThatItIsNotPromised();
        assertThat(log.list).hasSize(1);
    }
}
