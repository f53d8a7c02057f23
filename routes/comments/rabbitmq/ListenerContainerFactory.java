package comments.rabbitmq;

import org.apache.camel.component.springrabbit.DefaultListenerContainerFactory;
import org.apache.camel.component.springrabbit.SpringRabbitMQEndpoint;
import org.springframework.amqp.rabbit.listener.AbstractMessageListenerContainer;
import org.springframework.amqp.rabbit.listener.ConditionalRejectingErrorHandler;

/**
 * Makes the listener containers of our consumers, without the defaults of Spring AMQP that lose messages which are
 * acknowledged by hand, and with {@code concurrentConsumers=0} meaning one consumer per core. The body of a message is bytes.
 */
public class ListenerContainerFactory extends DefaultListenerContainerFactory {

    @Override
    public AbstractMessageListenerContainer createListenerContainer(SpringRabbitMQEndpoint endpoint) {
        if (endpoint.getConcurrentConsumers() == 0) {
            endpoint.setConcurrentConsumers(Runtime.getRuntime().availableProcessors());
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
        return container;
    }
}
