package comments.processor;

import java.util.BitSet;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Leaves comments out of the notification whose rows are erased, or those of other comments: the rows of quarantine-differing.sql. Else a
 * receiver would be told of an erased person once more, or of a comment that nobody can read. A comment that is written and equal is notified
 * of whenever it is delivered, because a process may have been killed before its first notification.
 */
public class LeaveOutUnwritten implements Processor {

    @Override
    @SuppressWarnings("unchecked")
    public void process(Exchange exchange) {
        BitSet places = new BitSet();
        for (Map<String, Object> row : (List<Map<String, Object>>) exchange.getMessage().getBody(List.class)) {
            places.set(((Number) row.get("place")).intValue());
        }
        exchange.getProperty(RejectComment.PART, BatchPart.class).leaveOut(places);
    }
}
