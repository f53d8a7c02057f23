package comments.rabbitmq;

import org.apache.camel.CamelContext;
import org.apache.camel.component.springrabbit.DefaultListenerContainerFactory;
import org.apache.camel.component.springrabbit.DefaultMessageConverter;
import org.apache.camel.component.springrabbit.SpringRabbitMQEndpoint;
import org.springframework.amqp.core.Message;
import org.springframework.amqp.rabbit.listener.AbstractMessageListenerContainer;
import org.springframework.amqp.rabbit.listener.ConditionalRejectingErrorHandler;
import org.springframework.amqp.rabbit.listener.DirectMessageListenerContainer;

/**
 * Makes the listener containers of our consumers, without the defaults of Spring AMQP that lose messages which are
 * acknowledged by hand. {@code concurrentConsumers=0} means one consumer per core, and {@code prefetchCount=0} what
 * {@link Prefetch} makes of it. The queues of a {@link SpreadConnectionFactory} are all consumed. The body of a message is bytes.
 */
public class ListenerContainerFactory extends DefaultListenerContainerFactory {

    @Override
    public AbstractMessageListenerContainer createListenerContainer(SpringRabbitMQEndpoint endpoint) {
        endpoint.setConcurrentConsumers(Prefetch.consumers(endpoint.getConcurrentConsumers()));
        Integer prefetch = endpoint.getPrefetchCount();
        if (endpoint.getPrefetchCount() != null) {
            endpoint.setPrefetchCount(Prefetch.perConsumer(endpoint.getPrefetchCount(), endpoint.getConcurrentConsumers()));
        }
        endpoint.setMessageConverter(new BytesMessageConverter(endpoint.getCamelContext()));
        AbstractMessageListenerContainer container = super.createListenerContainer(endpoint);
        // The default chain retries on the client's thread, and then rejects the message without requeueing it.
        container.setAdviceChain();
        // By default, a header of the message (springBatchFormat) makes the container split its body.
        container.setDeBatchingEnabled(false);
        // The default handler can reject every message that the channel has not acknowledged yet.
        ConditionalRejectingErrorHandler errorHandler = new ConditionalRejectingErrorHandler();
        errorHandler.setRejectManual(false);
        container.setErrorHandler(errorHandler);
        if (endpoint.getConnectionFactory() instanceof SpreadConnectionFactory connections) {
            connections.consume((DirectMessageListenerContainer) container, endpoint.getConcurrentConsumers(), prefetch);
        }
        return container;
    }

    /**
     * Gives the body of a received message as its bytes, whatever its properties say. Camel's converter fails for a text in an
     * unknown encoding, before the route begins: then nothing ever acknowledges the message, nor those after it.
     */
    private static final class BytesMessageConverter extends DefaultMessageConverter {

        BytesMessageConverter(CamelContext camelContext) {
            super(camelContext);
        }

        @Override
        public Object fromMessage(Message message) {
            return message.getBody();
        }
    }
}
