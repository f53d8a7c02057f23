package comments.stream;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Makes the parameters of select-replicated.sql, which asks a replica for the comments of a notification. Leaves them in the exchange
 * property {@link #PROPERTY}.
 *
 * <p>Any number of threads may call it.
 */
public class ReplicatedQuery implements Processor {

    /** The exchange property that has the parameters while the replica is asked. */
    public static final String PROPERTY = "awaited";

    @Override
    public void process(Exchange exchange) {
        byte[] notification = exchange.getMessage().getBody(byte[].class);
        exchange.setProperty(PROPERTY, Map.of("notification", new String(notification, StandardCharsets.UTF_8)));
    }
}
