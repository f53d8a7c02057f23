package comments.reader;

import comments.http.ConditionalResponse;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Answers with a page of comments, as the database wrote it, and with a link to the next one if more follow: see
 * {@link ConditionalResponse}.
 */
public class PageResponse implements Processor {

    @Override
    public void process(Exchange exchange) {
        Map<?, ?> page = exchange.getMessage().getBody(Map.class);
        String next = (String) page.get("next");
        ReadRequest request = exchange.getProperty(ReadRequest.PROPERTY, ReadRequest.class);
        ConditionalResponse.write(exchange, (byte[]) page.get("comments"), next == null ? null : request.pathOfNext(next));
    }
}
