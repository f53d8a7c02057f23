package comments.rabbitmq;

import org.springframework.amqp.core.Message;
import org.springframework.amqp.core.MessageProperties;
import org.springframework.amqp.support.converter.MessageConverter;

/** Leaves the bodies of messages as they are, whatever the labels of a foreign producer say. */
final class RawMessageConverter implements MessageConverter {

    @Override
    public Message toMessage(Object body, MessageProperties properties) {
        return new Message((byte[]) body, properties);
    }

    @Override
    public Object fromMessage(Message message) {
        return message.getBody();
    }
}
