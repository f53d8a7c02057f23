package comments.rabbitmq;

import org.apache.camel.CamelContext;
import org.apache.camel.component.springrabbit.DefaultMessageConverter;
import org.springframework.amqp.core.Message;

/**
 * Gives the body of a received message as its bytes, whatever its properties say. Camel's converter fails for a text in an
 * unknown encoding, before the route begins: then nothing ever acknowledges the message, nor those after it.
 */
final class BytesMessageConverter extends DefaultMessageConverter {

    BytesMessageConverter(CamelContext camelContext) {
        super(camelContext);
    }

    @Override
    public Object fromMessage(Message message) {
        return message.getBody();
    }
}
