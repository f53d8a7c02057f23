package comments.reader;

import comments.http.ConditionalResponse;
import comments.http.InvalidRequestException;
import comments.reader.ReadQuery.Read;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;

/**
 * Answers with what was read, as the database wrote it: one comment, or a page of comments with a link to the next one if
 * more follow. See {@link ConditionalResponse}.
 *
 * <p>Throws {@link InvalidRequestException} if there is no such comment: a 404, which may change in a moment. Any number of
 * threads may call it.
 */
public class ReadResponse implements Processor {

    @Override
    public void process(Exchange exchange) throws Exception {
        Message message = exchange.getMessage();
        Read read = exchange.getProperty(ReadQuery.PROPERTY, Read.class);
        if (message.getBody() instanceof Map<?, ?> page) {
            String cursor = (String) page.get("next");
            String next = cursor == null ? null : read.query().with(Stream.of("postId", "limit"), "before", cursor);
            ConditionalResponse.write(message, (byte[]) page.get("comments"), read.ifNoneMatch(), next);
            return;
        }
        byte[] comment = message.getBody(byte[].class);
        if (comment == null) {
            throw InvalidRequestException.notFound();
        }
        ConditionalResponse.write(message, comment, read.ifNoneMatch(), null);
    }
}
