package comments.stream;

import comments.model.CommentIds;
import comments.model.NotificationReader;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Makes the parameters of select-replicated.sql, which asks a replica for the last comment of a notification, a JSON array of
 * comments: its batch was committed with it, or before. Leaves them in the exchange property {@link #PROPERTY}, which is absent if no
 * comment has an id.
 *
 * <p>Any number of threads may call it.
 */
public class ReplicatedQuery implements Processor {

    /** The exchange property that has the parameters while the replica is asked. */
    public static final String PROPERTY = "awaited";

    @Override
    public void process(Exchange exchange) {
        Map<String, Object> last = new HashMap<>();
        NotificationReader.read(exchange.getMessage().getBody(byte[].class), (id, post, change) -> {
            UUID uuid = id == null ? null : CommentIds.parse(id);
            if (uuid != null) {
                last.put("id", uuid);
                last.put("change", change);
            }
        });
        if (last.isEmpty()) {
            exchange.removeProperty(PROPERTY);
        } else {
            exchange.setProperty(PROPERTY, last);
        }
    }
}
