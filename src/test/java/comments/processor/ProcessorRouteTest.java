package comments.processor;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.mockito.Mockito.mock;

import com.rabbitmq.client.Channel;
import java.util.Map;
import org.apache.camel.EndpointInject;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.component.springrabbit.SpringRabbitMQConstants;
import org.apache.camel.main.MainConfigurationProperties;
import org.apache.camel.test.main.junit5.Configure;

/** The route file of comment-job-processor as it ships, whose messages come from {@code direct:comments}. */
abstract class ProcessorRouteTest {

    @EndpointInject("direct:comments")
    ProducerTemplate comments;

    final Channel channel = mock(Channel.class);

    @Configure
    void routes(MainConfigurationProperties configuration) {
        configuration.withRoutesIncludePattern(
                "classpath:connections.camel.yaml,classpath:errors.camel.yaml,classpath:comment-job-processor.camel.yaml");
    }

    /** Delivers a message of one comment, whose id is the delivery tag. */
    final Exchange receive(long tag, Map<String, Object> headers) {
        return comments.send(exchange -> {
            exchange.setProperty(SpringRabbitMQConstants.CHANNEL, channel);
            exchange.getMessage().setHeader(SpringRabbitMQConstants.DELIVERY_TAG, tag);
            exchange.getMessage().setHeader("commentCount", 1);
            headers.forEach(exchange.getMessage()::setHeader);
            exchange.getMessage().setBody("[{\"id\":\"%d\"}]".formatted(tag).getBytes(UTF_8));
        });
    }
}
